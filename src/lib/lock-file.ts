import { randomBytes } from 'node:crypto';
import { link, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf } from './errors.js';
import { lives, processInfo } from './processes.js';

const pollMs = 200;

/**
 * Runs `work` while holding the lock file `path`, so that only one of several processes works at a time. The file names its
 * holder by pid and start time; a holder that no longer exists loses it. `onWait` is called once, with the holder's pid.
 */
export async function withLock<T>(
  path: string,
  signal: AbortSignal,
  onWait: (pid: number) => void,
  work: () => Promise<T>,
): Promise<T> {
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  let waiting = false;
  await writeFile(own, JSON.stringify({ pid: process.pid, startTime: startTimeOf(process.pid) }), {
    mode: 0o600,
  });
  try {
    // link(2) makes the name and its content appear in one step.
    while (!(await tryLink(own, path))) {
      const holder = await readHolder(path);
      if (holder === undefined) continue;
      if (isStale(holder)) {
        await takeAway(path, holder);
        continue;
      }
      if (!waiting) onWait((JSON.parse(holder) as Holder).pid);
      waiting = true;
      await delay(pollMs, undefined, { signal });
    }
  } finally {
    await rm(own, { force: true });
  }
  try {
    await removeAbandoned(path);
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

type Holder = { pid: number; startTime: string };

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

function isStale(content: string): boolean {
  try {
    const holder = JSON.parse(content) as Holder;
    return startTimeOf(holder.pid) !== holder.startTime;
  } catch {
    return true;
  }
}

/** Another waiter may have replaced the stale lock between our look and the rename: then the file is put back. */
async function takeAway(path: string, stale: string): Promise<void> {
  const taken = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(path, taken);
    if ((await readHolder(taken)) !== stale) await tryLink(taken, path);
    await rm(taken, { force: true });
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

/** Removes what killed waiters have left. A file that is empty or torn may belong to a waiter that is writing it now. */
async function removeAbandoned(path: string): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const content = await readHolder(join(folder, name));
    if (content?.endsWith('}') && isStale(content)) await rm(join(folder, name), { force: true });
  }
}

/** Empty when it is gone or a zombie. */
function startTimeOf(pid: number): string {
  const process = processInfo(pid);
  return process !== undefined && lives(process) ? process.startTime : '';
}
