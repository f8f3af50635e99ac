import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, rm, stat, writeFile, copyFile, mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type ConnectionOptions } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import type { Event } from '#src/lib/events.js';
import { U7sError } from '#src/lib/errors.js';
import { authorities, certificateTable, type AuthorityName } from '#src/pki/certificates.js';
import { certificateExpiries } from '#src/pki/inspect.js';
import { ensurePki } from '#src/pki/rotate.js';
import { temporary } from '../temporary.js';

const input = {
  nodeName: 'node1',
  nodeAddress: '10.0.2.100',
  serviceAddress: '10.0.0.1',
  dnsDomain: 'cluster.local',
  apiAddress: '127.0.0.1',
};
const table = certificateTable(input);
const dayMs = 24 * 3600_000;

async function emptyDir(t: ExecutionContext): Promise<string> {
  const dir = await temporary(t);
  return dir;
}

async function freshPki(t: ExecutionContext): Promise<string> {
  const dir = join(await emptyDir(t), 'pki');
  await ensurePki(dir, table);
  return dir;
}

/** Content of every file by name. */
async function contents(dir: string): Promise<Record<string, string>> {
  const files = (await readdir(dir)).sort();
  return Object.fromEntries(
    await Promise.all(files.map(async (f) => [f, await readFile(join(dir, f), 'utf8')] as const)),
  );
}

function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  return Object.keys(after).filter((file) => before[file] !== after[file]);
}

const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8' });

test('the first time makes the four authorities, each leaf, the token key and the encryption key', async (t) => {
  const dir = join(await emptyDir(t), 'state', 'pki');
  const { created, renewed } = await ensurePki(dir, table);
  const pairs = [...Object.keys(authorities), ...table.map(({ name }) => name)];
  t.deepEqual(created.sort(), [...pairs, 'sa', 'encryption-config'].sort());
  t.deepEqual(renewed, []);
  t.deepEqual(
    await readdir(dir),
    [
      ...pairs.flatMap((name) => [`${name}.crt`, `${name}.key`]),
      'sa.key',
      'sa.pub',
      'encryption-config.yaml',
    ].sort(),
  );
  t.deepEqual(await readdir(join(dir, '..')), ['pki'], 'nothing is left beside it');
});

test.serial('nobody else can read it, whatever the umask', async (t) => {
  const umask = process.umask(0);
  t.teardown(() => process.umask(umask));
  const dir = await freshPki(t);
  t.is((await stat(dir)).mode & 0o777, 0o700);
  for (const file of await readdir(dir)) t.is((await stat(join(dir, file))).mode & 0o777, 0o600, file);
});

test('OpenSSL verifies each leaf for its purpose and its names', async (t) => {
  const dir = await freshPki(t);
  for (const { name, authority, usage } of table) {
    for (const purpose of usage === 'both' ? ['server', 'client'] : [usage]) {
      const files = ['-CAfile', join(dir, `${authority}.crt`), join(dir, `${name}.crt`)];
      t.notThrows(
        () => openssl('verify', '-x509_strict', '-purpose', `ssl${purpose}`, ...files),
        `${name} ${purpose}`,
      );
    }
  }
  const text = openssl('x509', '-noout', '-text', '-in', join(dir, 'kube-apiserver.crt'));
  t.regex(text, /DNS:kubernetes.default.svc.cluster.local, DNS:node1/);
  t.regex(text, /IP Address:0:0:0:0:0:0:0:1, IP Address:10.0.0.1, IP Address:10.0.2.100/);
  t.regex(text, /CA:FALSE/);
  t.regex(
    openssl('x509', '-noout', '-subject', '-in', join(dir, 'kubelet.crt')),
    /O = system:nodes, CN = system:node:node1/,
  );
});

test('a leaf is valid for a year, an authority for ten', async (t) => {
  const dir = join(await emptyDir(t), 'pki');
  await ensurePki(dir, table, { now: new Date('2026-03-01T12:00:00Z') });
  const expiries = await certificateExpiries(dir);
  t.is(expiries['ca'], '2036-03-01T12:00:00.000Z');
  t.is(expiries['kubelet'], '2027-03-01T12:00:00.000Z');
  t.is(Object.keys(expiries).length, table.length + 4);
});

test('there are no expiries where there are no certificates', async (t) => {
  t.deepEqual(await certificateExpiries(join(await emptyDir(t), 'missing')), {});
});

test('client and server authenticate each other', async (t) => {
  const dir = await freshPki(t);
  const identity = async (name: string) => ({
    cert: await readFile(join(dir, `${name}.crt`)),
    key: await readFile(join(dir, `${name}.key`)),
    ca: await readFile(join(dir, 'ca.crt')),
  });
  const server = createServer({
    ...(await identity('kube-apiserver')),
    requestCert: true,
    rejectUnauthorized: true,
  });
  server.on('secureConnection', (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const whoAmI = async (client: ConnectionOptions, servername = 'localhost'): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port, servername, ...client });
    const said = (await socket.toArray()) as Buffer[];
    return Buffer.concat(said).toString();
  };
  const isRefused = async (client: ConnectionOptions): Promise<boolean> =>
    // With TLS 1.3 the client may be done before the server looks at its certificate: then it just hears nothing.
    (await whoAmI(client).catch(() => '')) === '';
  const admin = await identity('admin');
  t.is(await whoAmI(admin, 'kubernetes.default.svc'), 'kubernetes-admin');
  t.is(await whoAmI(await identity('kubelet')), 'system:node:node1');
  t.true(await isRefused({ ca: admin.ca }), 'without a certificate');
  t.true(await isRefused(await identity('kube-apiserver-etcd-client')), 'certified by another authority');
  await t.throwsAsync(whoAmI(admin, 'example.org'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});

test('a second time changes nothing', async (t) => {
  const dir = await freshPki(t);
  const before = await contents(dir);
  t.deepEqual(await ensurePki(dir, table), { created: [], renewed: [] });
  t.deepEqual(await contents(dir), before);
});

test('an up-to-date start does without the library that makes certificates', async (t) => {
  const dir = join(await emptyDir(t), 'pki');
  const script = `
    const { ensurePki } = await import('#src/pki/rotate.js');
    await ensurePki(process.argv[1], JSON.parse(process.argv[2]));
    const { createRequire } = await import('node:module');
    console.log(Object.keys(createRequire(process.cwd() + '/x').cache).some((path) => path.includes('x509')));`;
  const loadsLibrary = (): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script, dir, JSON.stringify(table)], {
      encoding: 'utf8',
    }).trim();
  t.is(loadsLibrary(), 'true', 'the first start');
  t.is(loadsLibrary(), 'false', 'the second start');
});

test('leaves are renewed when they end in under 90 days, and not before', async (t) => {
  const start = Date.now();
  const dir = await freshPki(t);
  const before = await contents(dir);
  t.deepEqual((await ensurePki(dir, table, { now: new Date(start + 274 * dayMs) })).renewed, []);
  const { created, renewed } = await ensurePki(dir, table, { now: new Date(start + 276 * dayMs) });
  t.deepEqual(created, []);
  t.deepEqual(renewed.sort(), table.map(({ name }) => name).sort());
  const after = await contents(dir);
  t.deepEqual(
    changed(before, after).sort(),
    table.flatMap(({ name }) => [`${name}.crt`, `${name}.key`]).sort(),
  );
});

test('a leaf does not outlive its authority, whose end is announced', async (t) => {
  const start = Date.now();
  const dir = await freshPki(t);
  const events: Event[] = [];
  await ensurePki(dir, table, { now: new Date(start + 3600 * dayMs), report: (event) => events.push(event) });
  const { ca, admin } = await certificateExpiries(dir);
  t.is(admin, ca);
  t.is(events.filter(({ kind }) => kind === 'warning').length, 4);
});

test('only the leaf whose names changed is renewed, and the reason is told', async (t) => {
  const dir = await freshPki(t);
  const notes: Event[] = [];
  const moved = certificateTable({ ...input, apiAddress: '192.0.2.7' });
  const { renewed } = await ensurePki(dir, moved, { report: (event) => notes.push(event) });
  t.deepEqual(renewed, ['kube-apiserver']);
  t.deepEqual(notes, [
    { kind: 'note', text: 'renewed certificates (made for other names or another usage): kube-apiserver' },
  ]);
  t.deepEqual((await ensurePki(dir, moved)).renewed, []);
});

test('a node with another name gets another identity', async (t) => {
  const dir = await freshPki(t);
  const { renewed } = await ensurePki(dir, certificateTable({ ...input, nodeName: 'node2' }));
  t.deepEqual(renewed.sort(), [
    'kube-apiserver',
    'kubelet',
    'kubelet-server',
    'local-storage',
    'network-policies',
  ]);
});

test('a certificate whose key is another one’s, torn or missing is made again', async (t) => {
  const dir = await freshPki(t);
  await copyFile(join(dir, 'admin.key'), join(dir, 'kubelet.key'));
  await writeFile(join(dir, 'kube-proxy.crt'), '-----BEGIN CERTIFICATE-----\nMII');
  await rm(join(dir, 'kube-scheduler.key'));
  await rm(join(dir, 'etcd-server.crt'));
  const { created, renewed } = await ensurePki(dir, table);
  t.deepEqual(renewed.sort(), ['kube-proxy', 'kube-scheduler', 'kubelet']);
  t.deepEqual(created, ['etcd-server']);
  t.deepEqual(await ensurePki(dir, table), { created: [], renewed: [] });
});

test('an authority that is missing altogether is made, and its leaves anew', async (t) => {
  const dir = await freshPki(t);
  await rm(join(dir, 'front-proxy-ca.crt'));
  await rm(join(dir, 'front-proxy-ca.key'));
  const { created, renewed } = await ensurePki(dir, table);
  t.deepEqual(created, ['front-proxy-ca']);
  t.deepEqual(renewed, ['front-proxy-client']);
});

const lost = [
  ['ca.key', 'ca.crt is there without its key'],
  ['ca.crt', 'ca.key is there without its certificate'],
  ['sa.key', 'sa.pub is there without its key'],
  ['encryption-config.yaml', 'the key of every stored Secret'],
] as const;
for (const [file, message] of lost) {
  test(`the loss of ${file} is an error, and nothing is changed`, async (t) => {
    const dir = await freshPki(t);
    await rm(join(dir, file));
    const before = await contents(dir);
    const error = await t.throwsAsync(ensurePki(dir, table), { instanceOf: U7sError });
    t.true(error.message.includes(message), error.message);
    t.is(error.code, 'pki-damaged');
    const [restore, anew] = error.fixes;
    t.is(restore, `restore ${join(dir, file)} from a backup`);
    t.like(anew, { commands: [['cleanup']] });
    t.deepEqual(await contents(dir), before);
  });
}

test('an authority with another key, or out of its time, is an error', async (t) => {
  const dir = await freshPki(t);
  const late = new Date(Date.now() + 11 * 366 * dayMs);
  const error = await t.throwsAsync(ensurePki(dir, table, { now: late }), { instanceOf: U7sError });
  t.is(error.code, 'authority-not-valid');
  t.like(error.fixes[1], { commands: [['cleanup']] });
  await copyFile(join(dir, 'etcd-ca.key'), join(dir, 'ca.key'));
  await t.throwsAsync(ensurePki(dir, table), { code: 'pki-damaged' });
});

test('a cluster from before kubelets had an authority of their own gets it, and its kubelet a new certificate', async (t) => {
  const dir = await freshPki(t);
  const before = await contents(dir);
  await rm(join(dir, 'kubelet-ca.crt'));
  await rm(join(dir, 'kubelet-ca.key'));
  const { created, renewed } = await ensurePki(dir, table);
  t.deepEqual(created, ['kubelet-ca']);
  t.deepEqual(renewed, ['kubelet-server']);
  const files = ['kubelet-ca', 'kubelet-server'].flatMap((name) => [`${name}.crt`, `${name}.key`]);
  t.deepEqual(changed(before, await contents(dir)).sort(), files);
});

test('a kubelet is no server for those who trust the authority of the API', async (t) => {
  const dir = await freshPki(t);
  const verify = (authority: string): string =>
    openssl('verify', '-CAfile', join(dir, `${authority}.crt`), join(dir, 'kubelet-server.crt'));
  t.notThrows(() => verify('kubelet-ca'));
  t.throws(() => verify('ca'));
});

test('sa.pub is derived from sa.key again', async (t) => {
  const dir = await freshPki(t);
  const before = await contents(dir);
  await rm(join(dir, 'sa.pub'));
  t.deepEqual((await ensurePki(dir, table)).created, ['sa']);
  t.deepEqual(await contents(dir), before);
});

test('what an interrupted first run left is swept away', async (t) => {
  const dir = join(await emptyDir(t), 'pki');
  await mkdir(`${dir}.new`);
  await writeFile(join(`${dir}.new`, 'ca.key'), 'torn');
  await ensurePki(dir, table);
  t.deepEqual(await readdir(join(dir, '..')), ['pki']);
});

test('a first run that fails leaves nothing behind', async (t) => {
  const parent = await emptyDir(t);
  const broken = table.map((spec) => ({ ...spec, authority: 'unknown-ca' as AuthorityName }));
  await t.throwsAsync(ensurePki(join(parent, 'pki'), broken), { message: /unknown-ca/ });
  t.deepEqual(await readdir(parent), []);
});

test('a first run in which one certificate fails says why, and leaves nothing of the others', async (t) => {
  const parent = await emptyDir(t);
  const broken = table.map((spec, index) =>
    index > 0 ? spec : { ...spec, authority: 'unknown-ca' as AuthorityName },
  );
  const { message } = await t.throwsAsync(ensurePki(join(parent, 'pki'), broken));
  t.regex(message, /unknown-ca/);
  t.deepEqual(await readdir(parent), []);
});

test('Secrets are encrypted with 32 random bytes, and read in the clear last', async (t) => {
  const [a, b] = await Promise.all([freshPki(t), freshPki(t)]);
  const config = await readFile(join(a, 'encryption-config.yaml'), 'utf8');
  const [, secret = ''] =
    /secretbox:\s+keys:\s+- name: key1\s+secret: (\S+)\n\s+- identity: {}\n$/.exec(config) ?? [];
  t.is(Buffer.from(secret, 'base64').length, 32);
  t.not(await readFile(join(b, 'encryption-config.yaml'), 'utf8'), config);
});

test('the directory is closed again when it was opened', async (t) => {
  const dir = await freshPki(t);
  await chmod(dir, 0o755);
  await ensurePki(dir, table);
  t.is((await stat(dir)).mode & 0o777, 0o700);
});
