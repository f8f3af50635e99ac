import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { LivenessProbe, ServiceDefinition, ServiceStatus } from '#src/supervisor/definition.js';
import { patient, watchLiveness } from '#src/supervisor/liveness.js';
import { probeOnce } from '#src/supervisor/probe.js';
import { daemon, fixture, readyWhenFile, supervise, temporaryDir } from './harness.js';

const again = ({ restarts, phase }: ServiceStatus): boolean => restarts === 1 && phase === 'ready';

/** Alive as long as the file is there. */
const livesWithFile = (path: string): Pick<ServiceDefinition, 'live'> => ({
  live: { type: 'file', path, periodMs: 20, timeoutMs: 1_000, failureThreshold: 3 },
});

test('a service that no longer answers is ended and started again at once, its dependents go on', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    daemon('base', {
      command: fixture('daemon.sh'),
      args: ['base', join(dir, 'journal'), join(dir, 'alive')],
      ...readyWhenFile(join(dir, 'alive')),
      ...livesWithFile(join(dir, 'alive')),
    }),
    daemon('user', { dependsOn: { base: 'ready' } }),
  ]);
  await supervisor.start();
  const { pid: userPid } = await supervisor.until('user', 'ready');
  await rename(join(supervisor.dir, 'alive'), join(supervisor.dir, 'gone'));
  const { lastExit } = await supervisor.until('base', again);
  t.regex(lastExit ?? '', /^not alive: ENOENT/);
  t.deepEqual(supervisor.phases('base'), ['starting', 'ready', 'stopping', 'backoff', 'starting', 'ready']);
  t.is(supervisor.statusOf('user').pid, userPid);
});

test('a process that is stopped is killed, for it cannot obey', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    daemon('frozen', {
      ...livesWithFile(join(dir, 'alive')),
      stop: { signal: 'SIGTERM', graceMs: 100 },
    }),
  ]);
  await mkdir(join(supervisor.dir, 'alive'));
  await supervisor.start();
  const { pid } = await supervisor.until('frozen', 'ready');
  process.kill(pid ?? 0, 'SIGSTOP');
  await rename(join(supervisor.dir, 'alive'), join(supervisor.dir, 'gone'));
  t.not((await supervisor.until('frozen', again)).pid, pid);
});

test('failures count only in a row', async (t) => {
  const ending = new AbortController();
  let asked = 0;
  // Fails at first, then every second time; ends the test at the eighth.
  const server = createHttpServer((_request, response) => {
    if (++asked === 8) ending.abort();
    response.writeHead(asked % 2 === 0 ? 200 : 503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const probe = { type: 'http', url, periodMs: 1, timeoutMs: 5_000, failureThreshold: 2 } as const;
  await t.throwsAsync(watchLiveness(probe, ending.signal), { any: true, name: 'AbortError' });
  t.is(asked, 8);
});

test('an HTTP/2 server on a unix socket answers to a greeting', async (t) => {
  const path = join(await temporaryDir(t), 'socket');
  const { signal } = new AbortController();
  t.regex(String(await probeOnce({ type: 'http2', path }, 1_000, signal)), /ENOENT/);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  t.is(await probeOnce({ type: 'http2', path }, 5_000, signal), true);
});

test('a process that is stopped still has its connections accepted, but does not greet', async (t) => {
  const path = join(await temporaryDir(t), 'socket');
  const { createServer: listen } = await import('node:net');
  const mute = listen();
  await new Promise<void>((resolve) => mute.listen(path, resolve));
  t.teardown(() => mute.close());
  const { signal } = new AbortController();
  t.is(await probeOnce({ type: 'unix', path }, 5_000, signal), true);
  t.is(await probeOnce({ type: 'http2', path }, 50, signal), 'no answer within 50 ms');
});

test('an answer may take a tenth of the time that the start took, and never less than the probe says', (t) => {
  const probe: LivenessProbe = {
    type: 'tcp',
    host: '127.0.0.1',
    port: 1,
    periodMs: 10_000,
    timeoutMs: 10_000,
    failureThreshold: 2,
  };
  t.is(patient(probe, 5_000).timeoutMs, 10_000);
  t.is(patient(probe, 450_000).timeoutMs, 45_000);
});
