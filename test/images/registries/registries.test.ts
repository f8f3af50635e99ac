import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import test, { type ExecutionContext } from 'ava';
import type { Event } from '#src/lib/events.js';
import { codeOf, fixesOf, messageOf } from '#src/lib/errors.js';
import { keepRegistries, type RegistriesPlan } from '#src/images/registries/keep.js';
import { registryFiles, renderRegistries } from '#src/images/registries/render.js';
import { readSources, type RegistrySources } from '#src/images/registries/sources.js';
import { parseSettings } from '#src/settings/schema.js';
import { temporary } from '../../temporary.js';

const program = { node: '/usr/bin/node', script: '/u7s/registry-credentials.js' };
const alice = Buffer.from('alice:s3cret').toString('base64');

type Ground = { home: string; sources: RegistrySources; out: string };

async function ground(t: ExecutionContext, files: Record<string, string>): Promise<Ground> {
  const home = await temporary(t);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(home, name, '..'), { recursive: true });
    await writeFile(join(home, name), content.replaceAll('$HOME', home), { mode: 0o600 });
  }
  const sources = {
    described: {},
    files: [join(home, 'registries.yaml'), join(home, 'clusters/default/registries.yaml')],
    logins: [join(home, '.docker/config.json'), join(home, 'registry-logins.json')],
    certificates: [join(home, 'certs.d'), join(home, 'etc/docker/certs.d')],
  };
  return { home, sources, out: join(home, 'out') };
}

async function rendered({ sources, out, home }: Ground) {
  const { known, warnings } = await readSources(sources);
  await renderRegistries(known, out, program);
  const read = async (file: string) => (await readFile(file, 'utf8')).replaceAll(home, '$HOME');
  const files = registryFiles(out);
  return {
    hosts: (host: string) => read(join(files.certificates, host, 'hosts.toml')),
    registriesConf: () => read(files.registriesConf),
    credentials: async () => JSON.parse(await read(files.credentials)) as unknown,
    warnings,
  };
}

const k3sFile = `
mirrors:
  docker.io:
    endpoint: ["https://mirror.example:5000", "http://plain.example/v2/proxy"]
    rewrite: { "^library/(.*)": "hub/library/$1" }
  registry.example:
    endpoint: ["http://registry.example"]
configs:
  mirror.example:5000:
    auth: { username: alice, password: s3cret }
    tls: { ca_file: $HOME/ca.pem, cert_file: $HOME/c.pem, key_file: $HOME/k.pem }
  unsafe.example:
    tls: { insecure_skip_verify: true }
`;
const pems = { 'ca.pem': 'x', 'c.pem': 'x', 'k.pem': 'x' };

test('mirrors, rewrites, certificates and passwords of k3s become hosts.toml of containerd and dockerd', async (t) => {
  const { hosts } = await rendered(await ground(t, { 'registries.yaml': k3sFile, ...pems }));
  t.snapshot(await hosts('docker.io'));
  t.snapshot(await hosts('registry.example'), 'an endpoint that is the registry itself takes its place');
  t.snapshot(await hosts('unsafe.example'));
});

test('the same become registries.conf of CRI-O and skopeo', async (t) => {
  const { registriesConf } = await rendered(await ground(t, { 'registries.yaml': k3sFile, ...pems }));
  t.snapshot(await registriesConf());
});

test('skopeo accepts what is written for it', async (t) => {
  const one = await ground(t, { 'registries.yaml': k3sFile, ...pems });
  await rendered(one);
  const { stderr, exitCode } = await execa(
    'skopeo',
    ['--registries-conf', registryFiles(one.out).registriesConf, 'inspect', 'docker://127.0.0.1:1/none'],
    { reject: false },
  );
  if (exitCode === undefined) return t.pass('there is no skopeo');
  t.regex(stderr, /connection refused/);
});

test('a mirror of all registries counts for those that have certificates alone, too', async (t) => {
  const { hosts } = await rendered(
    await ground(t, {
      'registries.yaml': 'mirrors: { "*": { endpoint: ["https://mirror.example"] } }',
      'etc/docker/certs.d/registry.example:5000/ca.crt': 'x',
    }),
  );
  t.regex(await hosts('_default'), /\[host\."https:\/\/mirror\.example"\]/);
  t.snapshot(await hosts('registry.example:5000'));
});

test('certificates come from the first folder that has the registry; hosts.toml of the user is left as it is', async (t) => {
  const one = await ground(t, {
    'certs.d/registry.example/ca.crt': 'mine',
    'certs.d/registry.example/client.cert': 'x',
    'certs.d/registry.example/client.key': 'x',
    'etc/docker/certs.d/registry.example/ca.crt': "the administrator's",
    'certs.d/own.example/hosts.toml': 'server = "https://elsewhere.example"\n',
  });
  const { hosts } = await rendered(one);
  t.snapshot(await hosts('registry.example'));
  t.is(await hosts('own.example'), 'server = "https://elsewhere.example"\n');
  const link = join(registryFiles(one.out).certificates, 'registry.example/ca-0.crt');
  t.is(await readFile(link, 'utf8'), 'mine', 'for programs that know no hosts.toml');
});

test('what is no longer set is removed', async (t) => {
  const one = await ground(t, { 'registries.yaml': k3sFile, ...pems, 'certs.d/a.example/hosts.toml': '' });
  const { hosts } = await rendered(one);
  await hosts('docker.io');
  await rm(join(one.home, 'registries.yaml'));
  await rm(join(one.home, 'certs.d'), { recursive: true });
  await rendered(one);
  for (const host of ['docker.io', 'a.example']) await t.throwsAsync(hosts(host), { code: 'ENOENT' }, host);
});

test('the file of the instance counts for more than that of the user, and the description for more than both', async (t) => {
  const mirror = (name: string) => `mirrors: { docker.io: { endpoint: ["https://${name}.example"] } }`;
  const one = await ground(t, {
    'registries.yaml': mirror('user'),
    'clusters/default/registries.yaml': mirror('instance'),
  });
  const first = await rendered(one);
  t.regex(await first.hosts('docker.io'), /https:\/\/instance\.example/);
  const described = { mirrors: { 'docker.io': { endpoint: ['https://described.example'] } } };
  const second = await rendered({ ...one, sources: { ...one.sources, described } });
  t.regex(await second.hosts('docker.io'), /https:\/\/described\.example/);
});

test('credentials of docker login, of our own login and of registries.yaml are put together', async (t) => {
  const auth = (text: string) => Buffer.from(text).toString('base64');
  const { credentials } = await rendered(
    await ground(t, {
      '.docker/config.json': JSON.stringify({
        auths: {
          'https://index.docker.io/v1/': { auth: auth('hub:1') },
          'http://old.example:5000/v2/': { auth: auth('old:1') },
          'a.example': { auth: auth('docker:1') },
        },
      }),
      'registry-logins.json': JSON.stringify({ auths: { 'a.example': { auth: auth('own:1') } } }),
      'registries.yaml': 'configs: { b.example: { auth: { username: file, password: "1" } } }',
    }),
  );
  t.deepEqual(await credentials(), {
    auths: {
      'docker.io': { auth: auth('hub:1') },
      'old.example:5000': { auth: auth('old:1') },
      'a.example': { auth: auth('own:1') },
      'b.example': { auth: auth('file:1') },
    },
  });
});

test('a password that docker keeps with a helper is told, with the way to give it to pods', async (t) => {
  const { warnings } = await rendered(
    await ground(t, {
      '.docker/config.json': JSON.stringify({
        auths: { 'a.example': {}, 'b.example': {} },
        credsStore: 'desktop',
        credHelpers: { 'c.example': 'ecr-login' },
      }),
      'registry-logins.json': JSON.stringify({ auths: { 'b.example': { auth: alice } } }),
    }),
  );
  t.deepEqual(
    warnings.map(({ code, fixes }) => [
      code,
      fixes?.map((fix) => (typeof fix === 'string' ? fix : fix.commands[0])),
    ]),
    [
      ['credential-helper', [['registry', 'login', 'a.example']]],
      ['credential-helper', [['registry', 'login', 'c.example']]],
    ],
  );
});

test('nothing that holds a password can be read by others', async (t) => {
  const one = await ground(t, { 'registries.yaml': k3sFile, ...pems });
  await rendered(one);
  const { stdout } = await execa('find', [one.out, '-type', 'f', '-perm', '/077']);
  t.is(stdout, '');
});

const wrongFiles: Record<string, string> = {
  'no YAML': 'mirrors: [',
  'a URL in place of a registry': 'mirrors: { "https://docker.io": { endpoint: [] } }',
  'an endpoint that is no URL': 'mirrors: { docker.io: { endpoint: ["mirror.example"] } }',
  'an endpoint of another scheme': 'mirrors: { docker.io: { endpoint: ["ftp://mirror.example"] } }',
  'a password in a URL': 'mirrors: { docker.io: { endpoint: ["https://a:s3cret@mirror.example"] } }',
  'a rewrite that no runtime can do': 'mirrors: { docker.io: { rewrite: { "^(.*)-x$": "$1" } } }',
  'a field that k3s does not know': 'mirrors: { docker.io: { endpoints: [] } }',
  'a path to a registry': 'configs: { "a.example/team": { tls: {} } }',
  'a user without password': 'configs: { a.example: { auth: { username: alice } } }',
  'an auth that is no user and password': 'configs: { a.example: { auth: { auth: s3cret } } }',
  'a relative path': 'configs: { a.example: { tls: { ca_file: ca.pem } } }',
  'a certificate that is not there': 'configs: { a.example: { tls: { ca_file: /nonexistent/ca.pem } } }',
  'a certificate without key': 'configs: { a.example: { tls: { cert_file: /etc/passwd } } }',
  'a list': '[1, 2]',
};
for (const [what, content] of Object.entries(wrongFiles)) {
  test(`registries.yaml with ${what} is refused with a fix, and without showing a password`, async (t) => {
    const { sources } = await ground(t, { 'registries.yaml': content });
    const error = await t.throwsAsync(readSources(sources));
    t.is(codeOf(error), 'registries-invalid', messageOf(error));
    t.true(fixesOf(error).length > 0);
    t.notRegex(messageOf(error), /s3cret/);
  });
}

test('registries.yaml with a password that others can read is refused', async (t) => {
  const { home, sources } = await ground(t, {
    'registries.yaml': 'configs: { a.example: { auth: { username: alice, password: s3cret } } }',
  });
  await chmod(join(home, 'registries.yaml'), 0o644);
  t.is(codeOf(await t.throwsAsync(readSources(sources))), 'secret-readable');
});

test('a broken config.json is refused without showing what is in it', async (t) => {
  const { sources } = await ground(t, { '.docker/config.json': `{"auths": {"a": {"auth": "${alice}"` });
  const error = await t.throwsAsync(readSources(sources));
  t.is(codeOf(error), 'registries-invalid');
  t.false(messageOf(error).includes(alice.slice(0, 6)));
});

test('a description takes registries, without a password', (t) => {
  const tls = { insecure_skip_verify: true };
  t.deepEqual(parseSettings({ registries: { configs: { 'a.example': { tls } } } }).registries, {
    configs: { 'a.example': { tls } },
  });
  const auth = { username: 'alice', password: 's3cret' };
  const error = t.throws(() => parseSettings({ registries: { configs: { 'a.example': { auth } } } }));
  t.is(codeOf(error), 'setting-invalid');
  t.notRegex(messageOf(error), /s3cret/);
});

test('changes are followed, and what is wrong leaves what was there before', async (t) => {
  const one = await ground(t, {});
  const events: Event[] = [];
  const providers: string[] = [];
  const end = new AbortController();
  const plan: RegistriesPlan = { sources: one.sources, folder: one.out, program };
  await rendered(one);
  const listener = { report: (event: Event) => events.push(event), onProvider: () => providers.push('') };
  const kept = keepRegistries(plan, listener, end.signal, 10);
  const seen = async (kind: Event['kind'], count: number) => {
    while (events.filter((event) => event.kind === kind).length < count)
      await new Promise((resolve) => setTimeout(resolve, 10));
  };
  const logins = join(one.home, 'registry-logins.json');
  const write = (host: string) =>
    writeFile(logins, JSON.stringify({ auths: { [host]: { auth: alice } } }), { mode: 0o600 });
  await write('a.example');
  await seen('note', 1);
  t.is(providers.length, 0, 'the kubelet asks for it already');
  await write('a.example:12345');
  await seen('note', 2);
  t.is(providers.length, 1, 'the kubelet must learn of an unusual port');
  await writeFile(logins, 'nonsense');
  await seen('warning', 1);
  t.true((await readFile(registryFiles(one.out).credentials, 'utf8')).includes('a.example:12345'));
  await mkdir(join(one.home, 'certs.d/b.example'), { recursive: true });
  await writeFile(join(one.home, 'certs.d/b.example/ca.crt'), '');
  await rm(logins);
  await seen('note', 3);
  t.true(
    (await readFile(join(registryFiles(one.out).certificates, 'b.example/hosts.toml'), 'utf8')).includes(
      'ca =',
    ),
  );
  end.abort();
  await t.throwsAsync(kept, { name: 'AbortError' });
});

test('the program that the kubelet asks answers for the registry of an image, most specific first', async (t) => {
  const one = await ground(t, {
    'registry-logins.json': JSON.stringify({
      auths: {
        'a.example:5000': { auth: Buffer.from('alice:s3:cret').toString('base64') },
        'a.example:5000/team': { auth: Buffer.from('team:1').toString('base64') },
      },
    }),
  });
  await rendered(one);
  const ask = async (image: string) => {
    const input = JSON.stringify({ apiVersion: 'credentialprovider.kubelet.k8s.io/v1', image });
    const script = join(import.meta.dirname, '../../../dist/entries/registry-credentials.js');
    const { stdout } = await execa(process.execPath, [script, registryFiles(one.out).credentials], { input });
    return (JSON.parse(stdout) as { auth: object }).auth;
  };
  t.deepEqual(await ask('a.example:5000/x/y'), {
    'a.example:5000': { username: 'alice', password: 's3:cret' },
  });
  t.deepEqual(await ask('a.example:5000/team/y'), {
    'a.example:5000/team': { username: 'team', password: '1' },
  });
  t.deepEqual(await ask('a.example:50001/x'), {});
});

test('links in place of folders are followed', async (t) => {
  const one = await ground(t, { 'elsewhere/registry.example/ca.crt': 'x' });
  await symlink(join(one.home, 'elsewhere'), join(one.home, 'certs.d'));
  t.regex(await (await rendered(one)).hosts('registry.example'), /ca = \[/);
});
