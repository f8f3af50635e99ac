import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { download } from './download.js';
import { mirrored } from './mirror.js';
import type { LockEntry } from '../recipe.js';
import type { Session } from '../session.js';
import { removePartial } from './transfer.js';

/** The size of a file of the lock, from there or from its server; throws when that cannot be reached. */
export async function surveyEntry(entry: LockEntry, session: Session): Promise<number | undefined> {
  const { size } = await session.survey(mirrored(entry.url, session.mirror));
  return entry.size ?? size;
}

/** Has a file of the lock here and checked, until it is removed: what stops halfway goes on with it the next time. */
export async function fetchEntry(
  entry: LockEntry,
  session: Session,
  progress: (received: number, total: number | undefined) => void,
): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = partialPath(entry, session.store);
  await mkdir(join(session.store, '.partial'), { recursive: true, mode: 0o700 });
  await session.files(() => download(entry, path, { ...session, progress }));
  return { path, remove: () => removePartial(path) };
}

export async function removeEntry(entry: LockEntry, store: string): Promise<void> {
  await removePartial(partialPath(entry, store));
}

function partialPath(entry: LockEntry, store: string): string {
  const sum = (entry.sha256 ?? entry.sha512 ?? '').slice(0, 12);
  return join(store, '.partial', `${sum}-${basename(entry.url)}`);
}
