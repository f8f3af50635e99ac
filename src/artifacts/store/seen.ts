import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { appearanceOf } from '../../lib/appearance.js';
import { writeFileAtomic } from '../../lib/atomic-file.js';
import { readManifest, type ResolvedArtifact } from './store.js';

/** By path below the directory: what the file system said of a file when its hash was right. */
type Seen = Record<string, string>;

const seenFile = (directory: string): string => join(directory, 'seen.json');

/**
 * The files of an installed artifact that are not what was installed. Only those are hashed whose size, time or inode is
 * another than when their hash was last right, so that this takes no time as long as nothing changes.
 */
export async function changedFiles({ directory }: ResolvedArtifact): Promise<string[]> {
  const files = Object.entries(readManifest(directory)?.files ?? {});
  const before = await readSeen(directory);
  const now: Seen = {};
  const changed: string[] = [];
  for (const [path, file] of files) {
    if ('link' in file) continue;
    const look = await appearanceOf(join(directory, path));
    if (before[path] === look || (await isSame(join(directory, path), file.sha256))) now[path] = look;
    else changed.push(path);
  }
  if (JSON.stringify(now) !== JSON.stringify(before)) await remember(directory, now);
  return changed;
}

/** So that it counts as not installed. */
export async function discard({ directory }: ResolvedArtifact): Promise<void> {
  await rm(join(directory, 'manifest.json'), { force: true });
}

async function isSame(path: string, sha256: string): Promise<boolean> {
  const { hashFile } = await import('../download/checksum.js');
  return (await hashFile(path)) === sha256;
}

async function readSeen(directory: string): Promise<Seen> {
  try {
    return JSON.parse(await readFile(seenFile(directory), 'utf8')) as Seen;
  } catch {
    return {};
  }
}

/** In a store that is not ours to write, such as one that an administrator keeps, files are hashed each time. */
async function remember(directory: string, seen: Seen): Promise<void> {
  await writeFileAtomic(seenFile(directory), JSON.stringify(seen), { durable: false }).catch(() => undefined);
}
