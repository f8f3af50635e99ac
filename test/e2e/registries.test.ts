import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { createAuthority, issueCertificate } from '#src/pki/ca.js';
import { account } from './account.js';
import { startRegistry, type Registry } from './registry.js';
import { until } from './running-cluster.js';
import { apply, kubectl, ok, sh } from './shell.js';

/** Registries that the test brings, on the host's loopback, from which pods of both runtimes' clusters pull. */
process.env['U7S_CLUSTER'] = 'registries';
process.env['U7S_API_PORT'] ??= '6591';

const host = 'host.usernetes.internal';
const ports = { locked: 5991, secure: 5992, mirror: 5993 };
const login = { username: 'alice', password: 'sesame-open' };

let folder: string;
let archive: string;
let registries: Record<keyof typeof ports, Registry>;
let configFolder: string;
let owner: { uid: number; gid: number; home: string };

test.before('registries with a password, with TLS of their own, and one that mirrors', async (t) => {
  t.timeout(80 * 60_000, 'the binaries may have to be built');
  await sh('./cleanup.sh');
  await ok('bin/u7s.js', ['init-host', '--preset', 'default-docker']);
  owner = await account();
  configFolder = join(owner.home, '.config/usernetes');
  folder = await mkdtemp(join(tmpdir(), 'u7s-registries-'));
  archive = join(folder, 'hello.tar');
  const busybox = (await ok('sh', ['-c', 'command -v busybox'])).trim();
  await writeFile(
    archive,
    await execBuffer([
      'image',
      'build-from',
      '--file',
      `${busybox}:/bin/busybox`,
      '--name',
      'hello:1',
      '-o',
      '-',
    ]),
  );
  const authority = await createAuthority('test', new Date());
  await writeOwned('certs.d/' + `${host}:${ports.secure}` + '/ca.crt', authority.certPem);
  const spec = { name: 'r', authority: 'ca', commonName: host, usage: 'server', hosts: [host] } as const;
  const { certPem, keyPem } = await issueCertificate(
    { ...spec, hosts: [host] },
    authority.issuer,
    new Date(),
  );
  const basic = `${login.username}:${login.password}`;
  registries = {
    locked: await startRegistry({ 'team/hello:1': archive }, { port: ports.locked, login: basic }),
    secure: await startRegistry(
      { 'hello:1': archive },
      { port: ports.secure, tls: { cert: certPem, key: keyPem } },
    ),
    mirror: await startRegistry({ 'hub/library/hello:1': archive }, { port: ports.mirror }),
  };
});

test.after.always('nothing is left', async () => {
  await sh('./cleanup.sh');
  for (const registry of Object.values(registries ?? {})) await registry.close();
  for (const name of ['certs.d', 'registries.yaml', 'registry-logins.json', 'images'])
    await rm(join(configFolder, name), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

for (const preset of ['default-containerd', 'default-docker']) {
  test.serial(`${preset}: it starts`, async (t) => {
    t.timeout(80 * 60_000);
    await registriesYaml({});
    const access = Object.values(ports).flatMap((port) => ['--host-access', String(port)]);
    await ok('./run.sh', [preset, '-d', ...access]);
    t.pass();
  });

  test.serial(`${preset}: a registry with an authority of its own, in certs.d`, async (t) => {
    t.timeout(120_000);
    await pulls('secure', `${host}:${ports.secure}/hello:1`);
    t.true(registries.secure.asked.some((line) => line.startsWith('200 ')));
  });

  test.serial(
    `${preset}: a mirror that is set while the cluster runs, with another name there`,
    async (t) => {
      t.timeout(120_000);
      await registriesYaml({
        mirrors: {
          'docker.io': {
            endpoint: [`http://${host}:${ports.mirror}`],
            rewrite: { '^library/(.*)': 'hub/library/$1' },
          },
          [`${host}:${ports.locked}`]: { endpoint: [`http://${host}:${ports.locked}`] },
        },
      });
      await inUse(`hosts`, 'docker.io');
      await pulls('mirrored', 'docker.io/library/hello:1');
      t.true(registries.mirror.asked.some((line) => line.startsWith('200 /v2/hub/library/hello/manifests')));
    },
  );

  test.serial(`${preset}: a password that was logged in with serves pods within seconds`, async (t) => {
    t.timeout(120_000);
    const server = `${host}:${ports.locked}`;
    const refused = await sh('bin/u7s.js', ['image', 'pull', `${server}/team/hello:1`]);
    t.is(refused.exitCode, 1);
    t.regex(refused.stderr, /error\[image-pull-failed\]/);
    await ok('bin/u7s.js', ['registry', 'login', server, '-u', login.username], { input: login.password });
    await inUse('login', server);
    await pulls('locked', `${server}/team/hello:1`);
    const listed = await ok('bin/u7s.js', ['registry', 'ls', '-o', 'json']);
    t.true(listed.includes(login.username) && !listed.includes(login.password));
    const processes = await ok('sh', [
      '-c',
      'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; true',
    ]);
    t.false(processes.includes(login.password), 'in no command line and no environment');
    await ok('bin/u7s.js', ['registry', 'logout', server]);
  });

  test.serial(`${preset}: an image is pulled, named, saved, removed and loaded by hand`, async (t) => {
    t.timeout(120_000);
    const u7s = (...words: string[]) => ok('bin/u7s.js', ['image', ...words]);
    const names = async () =>
      (JSON.parse(await u7s('ls', '-o', 'json')) as { reference: string }[]).map(
        ({ reference }) => reference,
      );
    const image = `${host}:${ports.secure}/hello:1`;
    await u7s('pull', image);
    await u7s('tag', image, 'localhost/again:1');
    const saved = await execBuffer(['image', 'save', 'localhost/again:1', '-o', '-']);
    await u7s('rm', 'localhost/again:1', image);
    t.false((await names()).includes('localhost/again:1'));
    const { execa } = await import('execa');
    const compressed = await execa('zstd', ['-qc'], { input: saved, encoding: 'buffer' });
    await execa('bin/u7s.js', ['image', 'load', '-'], { input: compressed.stdout });
    t.true((await names()).includes('localhost/again:1'));
    const unknown = await sh('bin/u7s.js', ['image', 'rm', 'localhost/none:1']);
    t.regex(unknown.stderr, /error\[no-such-image\]/);
  });

  test.serial(`${preset}: it ends`, async (t) => {
    await ok('./cleanup.sh');
    t.pass();
  });
}

async function pulls(name: string, image: string): Promise<void> {
  const containers = [
    { name: 'main', image, imagePullPolicy: 'Always', command: ['/bin/busybox', 'sleep', '1d'] },
  ];
  await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers } });
  await kubectl('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=60s');
  await kubectl('delete', 'pod', name, '--now', '--wait=false');
}

/** The node reads it: what was written is followed within seconds. */
async function inUse(kind: 'hosts' | 'login', registry: string): Promise<void> {
  const below = join(owner.home, '.local/state/usernetes/registries/registries');
  const [file, word] =
    kind === 'login'
      ? [join(below, 'config.json'), registry]
      : [join(below, 'docker/certs.d', registry, 'hosts.toml'), 'host'];
  await until(async () => (await sh('grep', ['-qF', word, file])).exitCode === 0, 20_000);
}

async function registriesYaml(content: object): Promise<void> {
  await writeOwned('registries.yaml', JSON.stringify(content));
}

async function writeOwned(name: string, content: string): Promise<void> {
  const file = join(configFolder, name);
  const made = await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content, { mode: 0o600 });
  await chown(file, owner.uid, owner.gid);
  if (made !== undefined) await ok('chown', ['-R', `${owner.uid}:${owner.gid}`, made]);
}

async function execBuffer(args: string[]): Promise<Buffer> {
  const { execa } = await import('execa');
  const { stdout } = await execa('bin/u7s.js', args, { encoding: 'buffer' });
  return Buffer.from(stdout);
}
