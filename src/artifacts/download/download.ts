import { rename, rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pRetry from 'p-retry';
import { differingSum } from './checksum.js';
import { FatalArtifactError, NetworkError, orDiskFull } from '../errors.js';
import { mirrored } from './mirror.js';
import { gunzipTo, isGzip, natureOf, type Nature } from './nature.js';
import type { AgentFor } from './proxy-agent.js';
import type { LockEntry } from '../recipe.js';
import { shown } from './request.js';
import { maxBytes, pageFixes, removePartial, transfer } from './transfer.js';

export type DownloadOptions = {
  /** Base URL that takes the place of scheme and host: `<mirror>/<host>/<path>`. */
  mirror?: string | undefined;
  agent: AgentFor;
  signal: AbortSignal;
  /** Bytes so far, and the total if it is known. */
  progress: (received: number, total: number | undefined) => void;
  /** Milliseconds without a byte until the server counts as dead. */
  stallMs?: number;
  /** Milliseconds that a host has for its answer. */
  answerMs?: number;
  /** Milliseconds until the second attempt; doubles each time. */
  retryMs?: number;
};

/** Bytes that make an attempt worth another one: a line that breaks often still makes it, one byte at a time does not. */
const worthwhile = 64 * 1024;

/** Milliseconds that a server may ask us to wait. */
const longestWaitMs = 60_000;

/**
 * Downloads an upstream file to `path` and checks it. Continues what an earlier attempt or run has left there, if the
 * server confirms that its file is still the same; a file that is there already costs no request. What is not what was
 * published, though it has the right size, is a FatalArtifactError; a block page, or a part, is tried again. Nothing
 * wrong is left.
 */
export async function download(entry: LockEntry, path: string, options: DownloadOptions): Promise<void> {
  if (await isThere(entry, path)) return;
  const url = mirrored(entry.url, options.mirror);
  let furthest = 0;
  let advanced = false;
  const attempt = async (): Promise<void> => {
    const before = furthest;
    try {
      const { resumed } = await transfer(url, path, {
        ...options,
        size: entry.size,
        progress: (received, total) => {
          furthest = Math.max(furthest, received);
          options.progress(received, total);
        },
      });
      await judge(entry, path, url, resumed);
    } finally {
      advanced = furthest >= before + worthwhile && furthest !== entry.size;
    }
  };
  try {
    await pRetry(attempt, {
      retries: 4,
      minTimeout: options.retryMs ?? 500,
      signal: options.signal,
      onFailedAttempt: async ({ error }) => {
        const afterMs = error instanceof NetworkError ? error.afterMs : 0;
        if (afterMs > 0 && afterMs <= longestWaitMs)
          await delay(afterMs, undefined, { signal: options.signal });
      },
      shouldRetry: ({ error }) =>
        error instanceof NetworkError && error.transient && error.afterMs <= longestWaitMs,
      // Only attempts without any progress count.
      shouldConsumeRetry: () => !advanced,
    });
  } catch (error) {
    options.signal.throwIfAborted();
    const fault = orDiskFull(error, path);
    if (fault instanceof FatalArtifactError) await removePartial(path);
    throw fault;
  }
}

/** Whether an earlier run has got all of it. */
async function isThere(entry: LockEntry, path: string): Promise<boolean> {
  const size = await stat(path).then(
    (status) => status.size,
    () => 0,
  );
  if (size === 0 || (entry.size !== undefined && entry.size !== size)) return false;
  return (await differingSum(path, entry)) === undefined;
}

/** Returns when the file is what was published. Otherwise it is removed, and the error says what it is. */
async function judge(entry: LockEntry, path: string, url: string, resumed: boolean): Promise<void> {
  const difference = await differingSum(path, entry);
  if (difference === undefined || (await decoded(entry, path))) return;
  const { size } = await stat(path);
  const nature: Nature =
    entry.size === undefined
      ? await natureOf(path, entry.kind)
      : size < entry.size
        ? 'cut'
        : size === entry.size
          ? 'whole'
          : 'other';
  await removePartial(path);
  const name = basename(entry.url);
  if (nature === 'whole' && resumed)
    throw new NetworkError('download-failed', `${name} has changed while it was downloaded`, {
      transient: true,
    });
  if (nature === 'whole') {
    const { algorithm, actual, expected } = difference;
    throw new FatalArtifactError(
      'artifact-forged',
      `${name} is not what was published: its ${algorithm} is ${actual}, not ${expected}`,
      {
        fixes: [
          'try again; nothing was installed',
          'ask whoever runs the network, or the mirror that U7S_MIRROR names',
        ],
      },
    );
  }
  const what = {
    cut: `only a part, ${size} bytes`,
    damaged: `damaged on its way (${size} bytes)`,
    other: `something else (${size} bytes)`,
  }[nature];
  const wanted = entry.size === undefined ? name : `${name} (${entry.size} bytes)`;
  throw new NetworkError('download-failed', `${shown(url)} is ${what} instead of ${wanted}`, {
    transient: true,
    fixes: nature === 'other' ? pageFixes : [],
  });
}

/** A proxy may have compressed the file on its way. */
async function decoded(entry: LockEntry, path: string): Promise<boolean> {
  if (!(await isGzip(path))) return false;
  const target = `${path}.decoded`;
  if (!(await gunzipTo(path, target, maxBytes))) return false;
  try {
    if ((await differingSum(target, entry)) !== undefined) return false;
    await rename(target, path);
    return true;
  } finally {
    await rm(target, { force: true });
  }
}
