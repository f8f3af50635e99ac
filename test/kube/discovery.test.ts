import { once } from 'node:events';
import { createServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { caHash, discoverAuthority, verifyServer } from '#src/kube/discovery.js';
import { U7sError } from '#src/lib/errors.js';
import { formatFix } from '#src/lib/fixes.js';
import { createAuthority, issueCertificate, type Issuer } from '#src/pki/ca.js';
import type { CertificateSpec } from '#src/pki/certificates.js';

const now = new Date();
const minute = 60_000;
const { signal } = new AbortController();

const apiServer: CertificateSpec = {
  name: 'kube-apiserver',
  authority: 'ca',
  commonName: 'kube-apiserver',
  usage: 'server',
  hosts: ['127.0.0.1'],
  chain: true,
};

/** Listens with a certificate of `issuer`'s; returns its port. */
async function serve(
  t: ExecutionContext,
  issuer: Issuer,
  { spec = apiServer, madeAt = now, date }: { spec?: CertificateSpec; madeAt?: Date; date?: Date } = {},
): Promise<number> {
  const { certPem, keyPem } = await issueCertificate(spec, issuer, madeAt);
  const server = createServer({ cert: certPem, key: keyPem }, (_request, response) => {
    if (date !== undefined) response.setHeader('date', date.toUTCString());
    response.end('ok');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test('the authority is found by its hash alone, and the server verified by it', async (t) => {
  const { certPem, issuer } = await createAuthority('kubernetes', now);
  const port = await serve(t, issuer);
  const { ca, localAddress, remoteAddress } = await discoverAuthority(
    { host: '127.0.0.1', port },
    caHash(certPem),
    signal,
  );
  t.is(ca, certPem);
  t.is(localAddress, '127.0.0.1');
  t.is(remoteAddress, '127.0.0.1');
  await t.notThrowsAsync(verifyServer(`https://127.0.0.1:${port}`, ca, signal));
});

test('a server of another authority is not the one meant', async (t) => {
  const [meant, other] = await Promise.all([
    createAuthority('kubernetes', now),
    createAuthority('kubernetes', now),
  ]);
  const port = await serve(t, other.issuer);
  await t.throwsAsync(discoverAuthority({ host: '127.0.0.1', port }, caHash(meant.certPem), signal), {
    code: 'wrong-authority',
  });
});

test('who only shows the right authority, but has no certificate of it, gets nothing', async (t) => {
  const [meant, thief] = await Promise.all([
    createAuthority('kubernetes', now),
    createAuthority('kubernetes', now),
  ]);
  const port = await serve(t, { ...thief.issuer, certPem: meant.certPem });
  await t.throwsAsync(discoverAuthority({ host: '127.0.0.1', port }, caHash(meant.certPem), signal));
  await t.throwsAsync(verifyServer(`https://127.0.0.1:${port}`, meant.certPem, signal), {
    code: 'wrong-authority',
  });
});

test('an address that the control plane does not know itself by is refused', async (t) => {
  const { certPem, issuer } = await createAuthority('kubernetes', now);
  const port = await serve(t, issuer, { spec: { ...apiServer, hosts: ['192.0.2.10'] } });
  await t.throwsAsync(verifyServer(`https://127.0.0.1:${port}`, certPem, signal), {
    code: 'wrong-address',
  });
});

test('clocks that differ are told before they make a certificate useless', async (t) => {
  const { certPem, issuer } = await createAuthority('kubernetes', now);
  const ahead = await serve(t, issuer, { date: new Date(now.getTime() - 20 * minute) });
  await t.throwsAsync(verifyServer(`https://127.0.0.1:${ahead}`, certPem, signal), {
    code: 'clock-wrong',
    message: /20 minutes ahead/,
  });
  const behind = await serve(t, issuer, { madeAt: new Date(now.getTime() + 60 * minute) });
  await t.throwsAsync(verifyServer(`https://127.0.0.1:${behind}`, certPem, signal), {
    code: 'clock-wrong',
  });
});

test('nobody there, or somebody who is no API server, is told at once', async (t) => {
  const server = createTcpServer((socket) => void socket.resume().end('SSH-2.0-OpenSSH\r\n')).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const hash = `sha256:${'0'.repeat(64)}`;
  await t.throwsAsync(discoverAuthority({ host: '127.0.0.1', port }, hash, signal), {
    code: 'api-unreachable',
  });
  server.close();
  await once(server, 'close');
  const error = await t.throwsAsync(discoverAuthority({ host: '127.0.0.1', port }, hash, signal), {
    instanceOf: U7sError,
    code: 'api-unreachable',
    message: /ECONNREFUSED$/,
  });
  const [look, firewall] = error.fixes;
  t.like(look, { on: 'control-plane', commands: [['status']] });
  t.regex(formatFix(firewall ?? '', undefined), new RegExp(`TCP port ${port} .*firewall`));
});
