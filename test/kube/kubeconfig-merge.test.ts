import { lstat, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { U7sError } from '#src/lib/errors.js';
import {
  kubeconfigCandidates,
  mergeIntoKubeconfig,
  removeFromKubeconfig,
  replaceInKubeconfigs,
} from '#src/kube/kubeconfig-merge.js';
import { temporary } from '../temporary.js';

const { signal } = new AbortController();
const ours = {
  name: 'usernetes',
  server: 'https://127.0.0.1:6443',
  caPem: 'CA',
  certPem: 'CERT',
  keyPem: 'KEY',
};

type Named = { name: string; [field: string]: unknown };
type Config = { clusters?: Named[]; users?: Named[]; contexts?: Named[]; 'current-context'?: string };

async function emptyDir(t: ExecutionContext): Promise<string> {
  const dir = await temporary(t);
  return dir;
}

async function fileWith(t: ExecutionContext, text: string): Promise<string> {
  const file = join(await emptyDir(t), 'config');
  await writeFile(file, text);
  return file;
}

const load = async (file: string): Promise<Config> => parse(await readFile(file, 'utf8')) as Config;

const others = `# work clusters, see the wiki
apiVersion: v1
kind: Config
preferences: { colors: true }
clusters:
  - name: work # do not delete
    cluster:
      server: https://api.example.org
      proxy-url: http://proxy.example.org
contexts:
  - name: work
    context: { cluster: work, user: me, namespace: team }
current-context: work
users:
  - name: me
    user:
      exec: { apiVersion: client.authentication.k8s.io/v1, command: login, interactiveMode: Never }
extensions:
  - name: mine
    extension: { port: 12345678901234567890 }
`;

test('another certificate replaces ours where the cluster still is, and nothing else', async (t) => {
  const renewed = { ...ours, certPem: 'NEXT', keyPem: 'NEXT KEY' };
  const [present, without] = [await fileWith(t, others), await fileWith(t, others)];
  await mergeIntoKubeconfig([present], ours, signal);
  await mergeIntoKubeconfig([present], { ...ours, name: 'usernetes-other' }, signal);
  const before = await load(present);
  await replaceInKubeconfigs([present, without, `${present}.missing`], renewed, signal);
  const { users = [], ...rest } = await load(present);
  const encoded = Buffer.from('NEXT').toString('base64');
  t.like(users.find(({ name }) => name === 'usernetes')?.user, { 'client-certificate-data': encoded });
  const unlikeOurs = (named: Named[] = []): Named[] => named.filter(({ name }) => name !== 'usernetes');
  t.deepEqual({ ...rest, users: unlikeOurs(users) }, { ...before, users: unlikeOurs(before.users) });
  t.is(await readFile(without, 'utf8'), others);
});

test('the file asked for comes first, then $KUBECONFIG, then the home directory', (t) => {
  const home = '/home/ann';
  t.deepEqual(kubeconfigCandidates({ explicit: '/a', env: '/b', home }), ['/a']);
  t.deepEqual(kubeconfigCandidates({ env: '/b::/c:/b', home }), ['/b', '/c']);
  t.deepEqual(kubeconfigCandidates({ env: '', home }), ['/home/ann/.kube/config']);
});

test('of several files the first that exists is used, else the last is made', async (t) => {
  const dir = await emptyDir(t);
  const [a, b, c] = [join(dir, 'a'), join(dir, 'b'), join(dir, 'c')];
  await writeFile(b, '');
  t.is(await mergeIntoKubeconfig([a, b, c], ours, signal), b);
  t.is(await mergeIntoKubeconfig([join(dir, 'x'), join(dir, 'y')], ours, signal), join(dir, 'y'));
});

test('a new file is private and makes our context the current one', async (t) => {
  const file = join(await emptyDir(t), '.kube', 'config');
  await mergeIntoKubeconfig([file], ours, signal);
  t.deepEqual(await load(file), {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'usernetes', cluster: { server: ours.server, 'certificate-authority-data': 'Q0E=' } }],
    users: [
      { name: 'usernetes', user: { 'client-certificate-data': 'Q0VSVA==', 'client-key-data': 'S0VZ' } },
    ],
    contexts: [{ name: 'usernetes', context: { cluster: 'usernetes', user: 'usernetes' } }],
    'current-context': 'usernetes',
  } as Config);
  t.is((await stat(file)).mode & 0o777, 0o600);
  t.is((await stat(join(file, '..'))).mode & 0o777, 0o700);
  t.deepEqual(await readdir(join(file, '..')), ['config'], 'no lock is left');
});

test('everything else stays, comments too', async (t) => {
  const file = await fileWith(t, others);
  await mergeIntoKubeconfig([file], ours, signal);
  const merged = await load(file);
  t.is(merged['current-context'], 'usernetes');
  t.deepEqual(
    merged.clusters?.map(({ name }) => name),
    ['work', 'usernetes'],
  );
  t.deepEqual(await removeFromKubeconfig([file], 'usernetes', signal), [file]);
  t.is(await readFile(file, 'utf8'), others.replace('current-context: work\n', ''));
});

test('merging again replaces what is ours and keeps the namespace the user works in', async (t) => {
  const file = await fileWith(t, others);
  await mergeIntoKubeconfig([file], ours, signal);
  const first = await readFile(file, 'utf8');
  await writeFile(file, first.replace('user: usernetes\n', 'user: usernetes\n      namespace: demo\n'));
  await mergeIntoKubeconfig([file], { ...ours, server: 'https://127.0.0.1:7443', caPem: 'CA2' }, signal);
  const { clusters, contexts } = await load(file);
  t.deepEqual(clusters?.[1]?.['cluster'], {
    server: 'https://127.0.0.1:7443',
    'certificate-authority-data': 'Q0Ey',
  });
  t.deepEqual(contexts?.[1]?.['context'], { cluster: 'usernetes', user: 'usernetes', namespace: 'demo' });
  t.is(clusters?.length, 2);
});

test('the current context is left alone by a removal when it is another one', async (t) => {
  const file = await fileWith(t, others);
  await mergeIntoKubeconfig([file], ours, signal);
  await writeFile(
    file,
    (await readFile(file, 'utf8')).replace(/current-context: .*/, 'current-context: work'),
  );
  await removeFromKubeconfig([file], 'usernetes', signal);
  t.is(await readFile(file, 'utf8'), others);
});

test('a removal looks into every file, and touches those without us not at all', async (t) => {
  const dir = await emptyDir(t);
  const [a, b, c] = [join(dir, 'a'), join(dir, 'b'), join(dir, 'missing', 'c')];
  await writeFile(a, others);
  await mergeIntoKubeconfig([b], ours, signal);
  const before = await stat(a);
  t.deepEqual(await removeFromKubeconfig([a, b, c], 'usernetes', signal), [b]);
  t.is((await stat(a)).ino, before.ino);
});

test('merge then remove gives back what was there, whatever was there', async (t) => {
  const dir = await emptyDir(t);
  const name = fc.string({ minLength: 1 }).filter((text) => text !== 'usernetes');
  const leaf = fc.oneof(fc.string(), fc.boolean(), fc.integer());
  const list = fc.option(
    fc.array(fc.record({ name, cluster: fc.dictionary(fc.string(), leaf), extra: leaf })),
    { nil: null },
  );
  const config = fc.record(
    { apiVersion: fc.constant('v1'), clusters: list, users: list, contexts: list, preferences: leaf },
    { requiredKeys: [] },
  );
  const layout = fc.constantFrom(JSON.stringify, stringify);
  // A missing, a null and an empty list mean the same.
  const semantics = ({ clusters, users, contexts, ...rest }: Record<string, unknown>) => ({
    ...rest,
    clusters: clusters ?? [],
    users: users ?? [],
    contexts: contexts ?? [],
  });
  await fc.assert(
    fc.asyncProperty(config, layout, async (original, write) => {
      const file = join(dir, 'config');
      await writeFile(file, write(original));
      await mergeIntoKubeconfig([file], ours, signal);
      const merged = await load(file);
      t.is(merged.clusters?.at(-1)?.name, 'usernetes');
      t.is(merged['current-context'], 'usernetes');
      await removeFromKubeconfig([file], 'usernetes', signal);
      t.deepEqual(semantics((await load(file)) as Record<string, unknown>), semantics(original));
    }),
    { numRuns: 40 },
  );
});

for (const [what, text] of [
  ['YAML that cannot be parsed', 'clusters: [\n'],
  ['no map', '- a\n- b\n'],
  ['no list of clusters', 'clusters: { a: b }\n'],
  ['a list of something else', 'users: [me]\n'],
  ['two documents', 'a: 1\n---\nb: 2\n'],
] as const) {
  test(`a file with ${what} is left as it is, with a fix`, async (t) => {
    const file = await fileWith(t, text);
    const merge = await t.throwsAsync(mergeIntoKubeconfig([file], ours, signal), { instanceOf: U7sError });
    t.true(merge.message.includes(file));
    t.is(merge.code, 'kubeconfig-invalid');
    t.true(merge.fixes.some((fix) => typeof fix === 'string' && fix.includes(`mv ${file}`)));
    await t.throwsAsync(removeFromKubeconfig([file], 'usernetes', signal), { instanceOf: U7sError });
    t.is(await readFile(file, 'utf8'), text);
    t.deepEqual(await readdir(join(file, '..')), ['config'], 'no lock and no temporary file is left');
  });
}

test('a symbolic link stays one, and its target is changed', async (t) => {
  const dir = await emptyDir(t);
  await mkdir(join(dir, 'dotfiles'));
  await writeFile(join(dir, 'dotfiles', 'kube'), others);
  await symlink('dotfiles/kube', join(dir, 'link'));
  await symlink('link', join(dir, 'config'));
  await mergeIntoKubeconfig([join(dir, 'config')], ours, signal);
  t.true((await lstat(join(dir, 'config'))).isSymbolicLink());
  t.true((await lstat(join(dir, 'link'))).isSymbolicLink());
  t.is((await load(join(dir, 'dotfiles', 'kube')))['current-context'], 'usernetes');
});

test('a lock that another program holds is waited for', async (t) => {
  const file = await fileWith(t, others);
  await writeFile(`${file}.lock`, '');
  const merging = mergeIntoKubeconfig([file], ours, signal);
  const first = await Promise.race([merging.then(() => 'merged'), delay(100, 'waiting')]);
  t.is(first, 'waiting');
  t.is(await readFile(file, 'utf8'), others);
  await rm(`${file}.lock`);
  await merging;
  t.is((await load(file))['current-context'], 'usernetes');
});

test('a lock that was left behind is taken over', async (t) => {
  const file = await fileWith(t, others);
  await writeFile(`${file}.lock`, '');
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(`${file}.lock`, longAgo, longAgo);
  await mergeIntoKubeconfig([file], ours, signal);
  t.deepEqual(await readdir(join(file, '..')), ['config']);
});

test('waiting for a lock ends with the signal', async (t) => {
  const file = await fileWith(t, others);
  await writeFile(`${file}.lock`, '');
  const merging = mergeIntoKubeconfig([file], ours, AbortSignal.timeout(50));
  await t.throwsAsync(merging, { name: 'AbortError' });
});

test('several merges at once all arrive', async (t) => {
  const file = await fileWith(t, others);
  const names = ['a', 'b', 'c', 'd', 'e'];
  await Promise.all(names.map((name) => mergeIntoKubeconfig([file], { ...ours, name }, signal)));
  t.deepEqual((await load(file)).contexts?.map(({ name }) => name).sort(), [...names, 'work']);
});
