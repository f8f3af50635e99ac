import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { Agent } from 'node:http';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import fetch, { type Response } from 'node-fetch';
import pRetry from 'p-retry';
import { messageOf, U7sError } from '../lib/errors.js';
import { FatalArtifactError, orDiskFull } from './errors.js';
import type { LockEntry } from './recipe.js';

/** No release file is larger; a server that never stops sending is cut off there. */
const maxBytes = 1024 ** 3;

export type DownloadOptions = {
  /** Base URL that takes the place of scheme and host: `<mirror>/<host>/<path>`. */
  mirror?: string | undefined;
  agent: (url: URL) => Agent;
  signal: AbortSignal;
  /** Bytes so far, and the total if the server reports it. */
  progress: (received: number, total: number | undefined) => void;
  /** Milliseconds without a byte until the server counts as dead. */
  stallMs?: number;
  /** Milliseconds until the second attempt; doubles each time. */
  retryMs?: number;
};

/** `url` itself, or where the mirror has it. */
export function mirrored(url: string, mirror: string | undefined): string {
  if (!mirror) return url;
  const { host, pathname } = new URL(url);
  return `${mirror.replace(/\/+$/, '')}/${host}${pathname}`;
}

/**
 * Downloads an upstream file to `path` and checks it. Continues what an earlier attempt or run has left there, if the
 * server confirms that its file is still the same. A wrong checksum is a FatalArtifactError and leaves nothing.
 */
export async function download(entry: LockEntry, path: string, options: DownloadOptions): Promise<void> {
  let furthest = 0;
  let advanced = false;
  const attempt = async (): Promise<void> => {
    const before = furthest;
    try {
      await transfer(mirrored(entry.url, options.mirror), path, {
        ...options,
        progress: (received, total) => {
          furthest = Math.max(furthest, received);
          options.progress(received, total);
        },
      });
    } finally {
      advanced = furthest > before;
    }
  };
  try {
    await pRetry(attempt, {
      retries: 4,
      minTimeout: options.retryMs ?? 500,
      signal: options.signal,
      shouldRetry: ({ error }) => isTransient(error),
      // A connection that breaks often still makes it: only attempts without any new byte count.
      shouldConsumeRetry: () => !advanced,
    });
    await checkSums(entry, path);
  } catch (error) {
    const fault = orDiskFull(error, path);
    if (fault instanceof FatalArtifactError) await removePartial(path);
    throw fault;
  }
}

export async function removePartial(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(validatorPath(path), { force: true });
}

class HttpStatusError extends U7sError {
  constructor(
    readonly status: number,
    url: string,
  ) {
    super('download-failed', `${url} was answered with HTTP ${status}`);
  }
}

async function transfer(url: string, path: string, options: DownloadOptions): Promise<void> {
  const have = await resumable(path);
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(), options.stallMs ?? 30_000);
  const signal = AbortSignal.any([options.signal, stall.signal]);
  try {
    const response = await fetch(url, {
      agent: options.agent,
      signal,
      // Range counts bytes without compression.
      compress: false,
      ...(have ? { headers: { range: `bytes=${have.bytes}-`, 'if-range': have.validator } } : {}),
    });
    if (response.status === 416) await removePartial(path);
    if (!response.ok || !response.body) {
      response.body?.resume();
      throw new HttpStatusError(response.status, url);
    }
    const start = continuesAt(response, have?.bytes);
    if (start === 0) await writeFile(validatorPath(path), validatorOf(response));
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const total = Number.isNaN(length) ? undefined : start + length;
    const file = await open(path, start === 0 ? 'w' : 'a', 0o600);
    let received = start;
    try {
      for await (const chunk of response.body as AsyncIterable<Buffer>) {
        timer.refresh();
        received += chunk.length;
        if (received > maxBytes)
          throw new U7sError('download-failed', `${url} does not end after ${maxBytes} bytes`);
        await file.appendFile(chunk);
        options.progress(received, total);
      }
    } finally {
      await file.close();
    }
    if (total !== undefined && received !== total) throw new Error('the connection was closed early');
  } catch (error) {
    options.signal.throwIfAborted();
    if (stall.signal.aborted) throw Object.assign(new Error(`${url} stopped sending`), { code: 'ETIMEDOUT' });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Where the body belongs in the file: a server may ignore Range and send everything. */
function continuesAt(response: Response, have = 0): number {
  if (response.status !== 206) return 0;
  const start = Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? Number.NaN);
  if (start !== have) throw new Error('the server sent another range than requested');
  return start;
}

/** If-Range takes a strong ETag or a date (RFC 9110, 13.1.5); without either it is not safe to continue. */
function validatorOf(response: Response): string {
  const etag = response.headers.get('etag');
  return (etag && !etag.startsWith('W/') ? etag : response.headers.get('last-modified')) ?? '';
}

async function resumable(path: string): Promise<{ bytes: number; validator: string } | undefined> {
  const validator = await readFile(validatorPath(path), 'utf8').catch(() => '');
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  return validator === '' || bytes === 0 ? undefined : { bytes, validator };
}

function validatorPath(path: string): string {
  return `${path}.validator`;
}

async function checkSums(entry: LockEntry, path: string): Promise<void> {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    const expected = entry[algorithm];
    if (expected === undefined) continue;
    const actual = await hashFile(path, algorithm);
    if (actual === expected) continue;
    throw new FatalArtifactError(
      'artifact-forged',
      `${basename(entry.url)} is not what was published: its ${algorithm} is ${actual}, not ${expected}`,
      {
        fixes: [
          'try again; nothing was installed',
          'ask whoever runs the network, or the mirror that U7S_MIRROR names',
        ],
      },
    );
  }
}

export async function hashFile(path: string, algorithm: 'sha256' | 'sha512' = 'sha256'): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

const transientCodes = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
]);
const transientStatuses = new Set([408, 416, 425, 429, 500, 502, 503, 504]);

function isTransient(error: unknown): boolean {
  if (error instanceof HttpStatusError) return transientStatuses.has(error.status);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (
    transientCodes.has(code) ||
    /closed early|another range|Premature close|aborted|socket hang up/i.test(messageOf(error))
  );
}
