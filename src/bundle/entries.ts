import { createHash } from 'node:crypto';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../artifacts/download/checksum.js';

/** One file of a bundle. Folders follow from the paths. */
export type BundleEntry =
  | { path: string; mode: number; size: number; from: string }
  | { path: string; mode: number; size: number; content: Buffer }
  | { path: string; link: string };

export const byPath = (a: { path: string }, b: { path: string }): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0;

export function textEntry(path: string, text: string, mode = 0o644): BundleEntry {
  const content = Buffer.from(text);
  return { path, mode, size: content.length, content };
}

export async function fileEntry(path: string, from: string, mode?: number): Promise<BundleEntry> {
  const status = await stat(from);
  return { path, from, size: status.size, mode: mode ?? ((status.mode & 0o111) === 0 ? 0o644 : 0o755) };
}

/** A file, or all that is below a folder, but for what `leftOut` names by its path. Nothing, where there is none. */
export async function treeEntries(
  path: string,
  from: string,
  leftOut: (path: string) => boolean = () => false,
): Promise<BundleEntry[]> {
  if (leftOut(path)) return [];
  const status = await lstat(from).catch(() => undefined);
  if (status === undefined) return [];
  if (status.isSymbolicLink()) return [{ path, link: await readlink(from) }];
  if (!status.isDirectory()) return [await fileEntry(path, from)];
  const names = await readdir(from);
  const found = await Promise.all(
    names.map((name) => treeEntries(`${path}/${name}`, join(from, name), leftOut)),
  );
  return found.flat();
}

/** The SHA-256 of its content; undefined for a link. */
export async function sumOf(entry: BundleEntry): Promise<string | undefined> {
  if ('link' in entry) return undefined;
  return 'from' in entry ? hashFile(entry.from) : createHash('sha256').update(entry.content).digest('hex');
}
