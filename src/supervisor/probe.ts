import { readFile, stat } from 'node:fs/promises';
import { connect, type NetConnectOpts } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SecureContext } from 'node:tls';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';
import type { Probe, ProbeTarget } from './definition.js';

/** `true`, or why it is not ready. */
export type ProbeResult = true | string;

/** One attempt, of at most `timeoutMs`. Rejects only when `signal` is aborted. */
export async function probeOnce(
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult> {
  signal.throwIfAborted();
  const attempt = new AbortController();
  const abort = (): void => attempt.abort();
  const timer = setTimeout(abort, timeoutMs);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const result = await attemptOf(target, attempt.signal);
    return attempt.signal.aborted ? `no answer within ${timeoutMs} ms` : result;
  } catch (error) {
    return attempt.signal.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    signal.throwIfAborted();
  }
}

const late = 'not ready after';

/** Whether a service ended, by what its status says of that, because it took too long to become ready. */
export function isLate(lastExit: string | undefined): boolean {
  return lastExit?.startsWith(late) ?? false;
}

/**
 * Resolves once the probe succeeds; throws when it has not within `startupMs`, with the last reason, for which
 * the last attempt is given its time.
 */
export async function waitUntilReady(probe: Probe, signal: AbortSignal): Promise<void> {
  const start = performance.now();
  for (;;) {
    const result = await probeOnce(probe, probe.timeoutMs, signal);
    if (result === true) return;
    const elapsed = performance.now() - start;
    if (elapsed >= probe.startupMs)
      throw new U7sError('service-late', `${late} ${probe.startupMs / 1000} s: ${result}`);
    await sleep(Math.min(pollDelay(probe, elapsed), probe.startupMs - elapsed), undefined, { signal });
  }
}

/**
 * Pause before the next attempt: the period, but in the beginning a tenth of what it has taken so far, so that readiness is
 * noticed soon, and at last a fiftieth, so that a slow machine has little to do with attempts that are in vain.
 */
export function pollDelay({ periodMs }: Pick<Probe, 'periodMs'>, elapsedMs: number): number {
  return Math.min(Math.max(periodMs, elapsedMs * 0.02), Math.max(10, elapsedMs * 0.1));
}

async function attemptOf(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  switch (target.type) {
    case 'http':
      return get(target, signal);
    case 'tcp':
      return connects({ host: target.host, port: target.port }, signal);
    case 'unix':
      return connects({ path: target.path }, signal);
    case 'http2':
      return greets(target.path, signal);
    case 'file':
      await stat(target.path);
      return true;
  }
}

async function get(
  { url, caFile, socket }: Extract<ProbeTarget, { type: 'http' }>,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  const trust = caFile === undefined ? {} : { secureContext: await trustIn(caFile) };
  const where = socket === undefined ? {} : { socketPath: socket };
  return new Promise((resolve, reject) => {
    request(url, { agent: false, signal, ...trust, ...where }, (response) => {
      const status = response.statusCode ?? 0;
      response.on('error', () => {}).destroy(); // the body does not matter
      resolve((status >= 200 && status < 300) || `HTTP status ${status}`);
    })
      .on('error', reject)
      .end();
  });
}

const trusted = new Map<string, SecureContext>();

/** Made once for each authority, which never changes while its services run: to make it takes longer than the rest of a probe. */
async function trustIn(caFile: string): Promise<SecureContext> {
  const known = trusted.get(caFile);
  if (known) return known;
  const { createSecureContext } = await import('node:tls');
  const context = createSecureContext({ ca: await readFile(caFile) });
  trusted.set(caFile, context);
  return context;
}

function connects(where: NetConnectOpts, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...where, signal });
    socket.on('error', reject).once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** RFC 9113, 3.4: the client's connection preface and an empty SETTINGS frame, which the server answers with its own. */
const http2Greeting = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** The kernel accepts a connection even for a process that is stopped; only an answer shows that it lives. */
function greets(path: string, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, signal });
    socket.on('error', reject).once('close', () => resolve('hung up without an answer'));
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.write(http2Greeting);
  });
}

/** Node gathers the failures on each address of a name in one error without a message. */
function reasonOf(error: unknown): string {
  return messageOf(error) || errnoOf(error) || 'unknown reason';
}
