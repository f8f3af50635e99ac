import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { ProbeTarget } from '#src/supervisor/definition.js';
import { pollDelay, probeOnce, waitUntilReady, type ProbeResult } from '#src/supervisor/probe.js';
import { temporaryDir } from './harness.js';

const never = (): AbortSignal => new AbortController().signal;
const attempt = (target: ProbeTarget, timeoutMs = 10_000): Promise<ProbeResult> =>
  probeOnce(target, timeoutMs, never());

async function listen(t: ExecutionContext, server: net.Server, where: number | string = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(where as number, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function closedPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('http: only a 2xx answer is ready', async (t) => {
  const server = http.createServer((request, response) => {
    response.statusCode = Number(request.url?.slice(1));
    response.end('x'.repeat(100_000));
  });
  const url = `http://127.0.0.1:${await listen(t, server)}`;
  t.true(await attempt({ type: 'http', url: `${url}/200` }));
  t.true(await attempt({ type: 'http', url: `${url}/204` }));
  t.is(await attempt({ type: 'http', url: `${url}/301` }), 'HTTP status 301');
  t.is(await attempt({ type: 'http', url: `${url}/503` }), 'HTTP status 503');
});

test('http: a server on a unix socket is asked there', async (t) => {
  const path = join(await temporaryDir(t), 'http.sock');
  const target = { type: 'http', url: 'http://daemon/_ping', socket: path } as const;
  t.regex(String(await attempt(target)), /ENOENT/);
  const asked: unknown[] = [];
  const server = http.createServer(({ url }, response) => {
    asked.push(url);
    response.end('OK');
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  t.true(await attempt(target));
  t.deepEqual(asked, ['/_ping']);
});

test('http: each attempt closes its connection', async (t) => {
  const server = http.createServer((_, response) => response.end('ok'));
  const url = `http://127.0.0.1:${await listen(t, server)}/`;
  const closed = new Promise((resolve) => server.on('connection', (socket) => socket.on('close', resolve)));
  t.true(await attempt({ type: 'http', url }));
  await closed;
  t.pass();
});

test('http: a server behind a unix socket is asked as any other', async (t) => {
  const socket = join(await temporaryDir(t), 's');
  const server = http.createServer((request, response) => {
    response.statusCode = request.url === '/info' ? 200 : 404;
    response.end();
  });
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.true(await attempt({ type: 'http', url: 'http://localhost/info', socket }));
  t.is(await attempt({ type: 'http', url: 'http://localhost/', socket }), 'HTTP status 404');
  t.regex(
    String(await attempt({ type: 'http', url: 'http://localhost/info', socket: `${socket}x` })),
    /ENOENT/,
  );
});

test('https: the server is verified by caFile', async (t) => {
  const dir = await temporaryDir(t);
  const [key, cert] = [join(dir, 'key'), join(dir, 'cert')];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-subj', '/CN=probe', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
  ]);
  const server = https.createServer({ key: await readFile(key), cert: await readFile(cert) }, (_, res) =>
    res.end(),
  );
  const url = `https://127.0.0.1:${await listen(t, server)}/`;
  t.true(await attempt({ type: 'http', url, caFile: cert }));
  t.regex(String(await attempt({ type: 'http', url })), /self-signed certificate/);
  t.regex(String(await attempt({ type: 'http', url, caFile: join(dir, 'missing') })), /no such file/);
});

test('tcp: ready when the port accepts', async (t) => {
  const open = await listen(t, net.createServer());
  t.true(await attempt({ type: 'tcp', host: '127.0.0.1', port: open }));
  t.regex(
    String(await attempt({ type: 'tcp', host: '127.0.0.1', port: await closedPort() })),
    /ECONNREFUSED/,
  );
});

test('unix: ready when the socket accepts, not when its file is there', async (t) => {
  const path = join(await temporaryDir(t), 's');
  t.regex(String(await attempt({ type: 'unix', path })), /ENOENT/);
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.true(await attempt({ type: 'unix', path }));
  await new Promise((resolve) => server.close(resolve));
  await writeFile(path, '');
  t.regex(String(await attempt({ type: 'unix', path })), /ECONNREFUSED/);
});

test('file: ready when it exists', async (t) => {
  const path = join(await temporaryDir(t), 'f');
  t.regex(String(await attempt({ type: 'file', path })), /ENOENT/);
  await writeFile(path, '');
  t.true(await attempt({ type: 'file', path }));
});

test('an attempt that takes too long fails', async (t) => {
  const silent = await listen(t, http.createServer());
  t.is(await attempt({ type: 'http', url: `http://127.0.0.1:${silent}/` }, 50), 'no answer within 50 ms');
});

test('an abort ends an attempt and a wait', async (t) => {
  const abort = new AbortController();
  const url = `http://127.0.0.1:${await listen(
    t,
    http.createServer(() => abort.abort(new Error('enough'))),
  )}/`;
  await t.throwsAsync(probeOnce({ type: 'http', url }, 60_000, abort.signal), { message: 'enough' });

  const waiting = new AbortController();
  const probe = {
    type: 'file',
    path: '/missing',
    periodMs: 60_000,
    timeoutMs: 1_000,
    startupMs: 600_000,
  } as const;
  const wait = waitUntilReady(probe, waiting.signal);
  setTimeout(() => waiting.abort(), 50);
  await t.throwsAsync(wait, { any: true, name: 'AbortError' });
});

test('waiting asks until it is ready', async (t) => {
  let asked = 0;
  const server = http.createServer((_request, response) => {
    response.writeHead(++asked > 3 ? 200 : 503).end();
  });
  const url = `http://127.0.0.1:${await listen(t, server)}/`;
  await waitUntilReady({ type: 'http', url, periodMs: 20, timeoutMs: 1_000, startupMs: 60_000 }, never());
  t.is(asked, 4);
});

test('waiting ends with the last reason when its time is over', async (t) => {
  const probe = { type: 'file', path: '/missing', periodMs: 10, timeoutMs: 1_000, startupMs: 40 } as const;
  await t.throwsAsync(waitUntilReady(probe, never()), { message: /^not ready after 0.04 s: ENOENT/ });
});

test('the pause grows with the time it has taken, to the period, and on a slow machine beyond it', (t) => {
  t.deepEqual(
    [0, 150, 300, 1_000, 60_000].map((elapsed) => pollDelay({ periodMs: 500 }, elapsed)),
    [10, 15, 30, 100, 1_200],
  );
  t.is(pollDelay({ periodMs: 5 }, 0), 5);
});
