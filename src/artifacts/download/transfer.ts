import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { NetworkError } from '../errors.js';
import { isWebPage } from './network.js';
import { looksLikePage } from './nature.js';
import type { AgentFor } from './proxy-agent.js';
import { networkCode, request, shown, transientCodes, unreachable, type Answer } from './request.js';

export type TransferOptions = {
  agent: AgentFor;
  signal: AbortSignal;
  /** Of the file, if it is known. */
  size?: number | undefined;
  progress: (received: number, total: number | undefined) => void;
  stallMs?: number;
  answerMs?: number;
};

/** No release file is larger; a server that never stops sending is cut off there. */
export const maxBytes = 1024 ** 3;

const validatorPath = (path: string): string => `${path}.validator`;

/** One attempt to bring a file to `path`. Every fault is a NetworkError that names the host, but those of the disk. */
export async function transfer(
  url: string,
  path: string,
  options: TransferOptions,
): Promise<{ resumed: boolean }> {
  const have = await resumable(path);
  const headers = have ? { range: `bytes=${have.bytes}-`, 'if-range': have.validator } : {};
  const answer = await request(url, { ...options, headers });
  try {
    const start = await begins(answer, path, have?.bytes ?? 0);
    await receive(answer, path, start, options);
    return { resumed: start > 0 };
  } finally {
    answer.body.destroy();
  }
}

/** Where the body belongs in the file; throws when it is not the file's. */
async function begins({ url, status, headers }: Answer, path: string, have: number): Promise<number> {
  if (status === 416) await removePartial(path);
  if (status !== 200 && status !== 206) {
    throw new NetworkError('download-failed', `${shown(url)} was answered with HTTP ${status}`, {
      transient: isTransient(status),
      afterMs: retryAfter(headers),
    });
  }
  if (isWebPage(headers['content-type'])) throw page(url);
  if (status === 200) return 0;
  // Where the body belongs in the file: a server may ignore Range and send everything.
  const start = Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? Number.NaN);
  if (start === have) return start;
  throw new NetworkError('download-failed', `${shown(url)} was answered with another part than asked for`, {
    transient: true,
  });
}

async function receive(
  { url, headers, body }: Answer,
  path: string,
  start: number,
  { signal, size, progress, stallMs = 30_000 }: TransferOptions,
): Promise<void> {
  const length = Number(headers['content-length'] ?? Number.NaN);
  const total = size ?? (Number.isNaN(length) ? undefined : start + length);
  const limit = size === undefined ? maxBytes : size + 1024 * 1024;
  const stalled = new NetworkError('download-failed', `${url.host} stopped sending`, { transient: true });
  const timer = setTimeout(() => body.destroy(stalled), stallMs);
  let file: Awaited<ReturnType<typeof open>> | undefined;
  let received = start;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      timer.refresh();
      if (file === undefined) {
        // A page must not replace what an earlier attempt has got.
        if (start === 0 && looksLikePage(chunk)) throw page(url);
        if (start === 0) await writeFile(validatorPath(path), validatorOf(headers));
        file = await open(path, start === 0 ? 'w' : 'a', 0o600);
      }
      received += chunk.length;
      if (received > limit) {
        throw new NetworkError('download-failed', `${shown(url)} does not end after ${limit} bytes`, {
          transient: false,
        });
      }
      await file.appendFile(chunk);
      progress(received, total);
    }
    if (received === start) throw ended(url);
  } catch (error) {
    signal.throwIfAborted();
    // Node ends a body that is shorter than announced with ECONNRESET.
    if (transientCodes.has(networkCode(error))) throw ended(url, error);
    // OpenSSL's have no name of a system call; all others are of the disk.
    throw /^ERR_/.test(networkCode(error)) ? unreachable(url.host, error) : error;
  } finally {
    clearTimeout(timer);
    await file?.close();
  }
}

function ended(url: URL, cause?: unknown): NetworkError {
  return new NetworkError('download-failed', `${url.host} ended the connection early`, {
    transient: true,
    cause,
  });
}

/** What to do about a page that somebody sends in place of the file. */
export const pageFixes = [
  'log in to the network, or ask whoever runs it to allow the host',
  'set U7S_MIRROR to a mirror of the downloads',
];

function page(url: URL): NetworkError {
  return new NetworkError('download-blocked', `${shown(url)} was answered with a web page`, {
    transient: true,
    fixes: pageFixes,
  });
}

/** Those that may pass: the server is overloaded, restarts, or lacks its own upstream. */
function isTransient(status: number): boolean {
  if ([408, 416, 421, 425, 429].includes(status)) return true;
  return status >= 500 && ![501, 505, 511].includes(status);
}

/** `Retry-After` in milliseconds: seconds, or a date. */
function retryAfter(headers: IncomingHttpHeaders): number {
  const value = headers['retry-after']?.trim() ?? '';
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}

/** If-Range takes a strong ETag or a date (RFC 9110, 13.1.5); without either it is not safe to continue. */
function validatorOf(headers: IncomingHttpHeaders): string {
  const { etag } = headers;
  return (etag && !etag.startsWith('W/') ? etag : headers['last-modified']) ?? '';
}

async function resumable(path: string): Promise<{ bytes: number; validator: string } | undefined> {
  const validator = await readFile(validatorPath(path), 'utf8').catch(() => '');
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  return validator === '' || bytes === 0 ? undefined : { bytes, validator };
}

export async function removePartial(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(validatorPath(path), { force: true });
}
