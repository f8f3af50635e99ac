import { watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { exists } from '../../lib/exists.js';
import { manifestsAppearance } from './files.js';

/** Editors write a file in several steps. */
const quietMs = 200;
/** File systems of other machines tell of no changes. */
const lookMs = 5_000;

/** Returns when the files of the folders look other than `before`, or after `limitMs`. */
export async function untilChanged(
  folders: readonly string[],
  before: string,
  limitMs: number,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!signal.aborted && performance.now() < end) {
    if ((await manifestsAppearance(folders)) !== before) return;
    await nextEvent(folders, Math.min(lookMs, end - performance.now()), signal);
  }
}

/** Returns at the next event in one of the folders, or where one of them may appear; at the latest after `limitMs`. */
async function nextEvent(folders: readonly string[], limitMs: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const watchers: FSWatcher[] = [];
  const happened = (): void => over.abort();
  try {
    for (const folder of folders) {
      const there = await nearestThere(folder);
      try {
        watchers.push(watch(there, happened).on('error', happened));
      } catch {
        // It has just gone, or there are too many watches: the next look tells.
      }
    }
    await delay(Math.max(limitMs, 0), undefined, { signal: AbortSignal.any([signal, over.signal]) });
  } catch {
    signal.throwIfAborted();
    await delay(quietMs, undefined, { signal });
  } finally {
    for (const watcher of watchers) watcher.close();
  }
}

async function nearestThere(folder: string): Promise<string> {
  return (await exists(folder)) || folder === dirname(folder) ? folder : nearestThere(dirname(folder));
}
