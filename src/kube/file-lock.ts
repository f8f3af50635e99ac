import { open, rm, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf, U7sError } from '../lib/errors.js';

/** Changing a kubeconfig takes milliseconds: a process that has held its lock for this long is dead. */
const staleMs = 30_000;
const patienceMs = 5_000;
const retryMs = 50;

/**
 * Runs `work` while holding `path`, a lock file as kubectl and kind use it: made exclusively, removed afterwards.
 * Takes over a lock that was left behind. Throws a `U7sError` after 5 s of waiting for one that is held.
 */
export async function withFileLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + patienceMs;
  while (!(await tryLock(path))) {
    if (Date.now() > deadline) {
      throw new U7sError('locked', `another program holds the lock ${path}`, {
        fixes: ['try again when that program has finished', `if none is running: rm ${path}`],
      });
    }
    await delay(retryMs, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  if (await isStale(path)) await rm(path, { force: true });
  return false;
}

async function isStale(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > staleMs;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}
