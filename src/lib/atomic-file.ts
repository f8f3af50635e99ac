import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from './errors.js';

export type WriteOptions = {
  /** Exactly this, whatever the umask. */
  mode?: number;
  /**
   * Whether the content survives a power cut from the return on. False is faster, for a file that is written again at
   * the next start, or whose folder `publishFolder` makes durable.
   */
  durable?: boolean;
};

/** Replaces `path` in one step, so that a reader sees the old or the new content, never a part. */
export async function writeFileAtomic(
  path: string,
  content: string,
  { mode = 0o600, durable = true }: WriteOptions = {},
): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.chmod(mode);
      await file.writeFile(content);
      if (durable) await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (durable) await syncFolder(dirname(path));
}

/**
 * Gives a folder its final name in one step, when it is complete. It and all that is below it survive a power cut from the
 * return on.
 */
export async function publishFolder(staging: string, target: string): Promise<void> {
  const below = await readdir(staging, { recursive: true, withFileTypes: true });
  await Promise.all(
    below.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) await sync(path);
      if (entry.isDirectory()) await syncFolder(path);
    }),
  );
  await syncFolder(staging);
  await rename(staging, target);
  await syncFolder(dirname(target));
}

/** Makes the names in a folder durable, where the file system knows how to. */
async function syncFolder(folder: string): Promise<void> {
  try {
    await sync(folder);
  } catch (error) {
    // Not every file system syncs folders, and not every folder that we may write to can be read.
    if (!['EINVAL', 'ENOTSUP', 'EACCES'].includes(errnoOf(error) ?? '')) throw error;
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Removes what a killed writer has left in a folder that nobody else writes to now. */
export async function removeHalfWritten(folder: string): Promise<void> {
  const halfWritten = (await readdir(folder)).filter((name) => /^\.[0-9a-f]{12}\.tmp$/.test(name));
  await Promise.all(halfWritten.map((name) => rm(join(folder, name), { force: true })));
}

/** Makes `path` and its parents; `path` itself gets exactly `mode`, whatever the umask. */
export async function ensureDir(path: string, mode = 0o700): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  await chmod(path, mode);
}
