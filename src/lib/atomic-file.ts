import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Replaces `path` in one step, so that a reader sees the old or the new content, never a part. Mode is exact, whatever the umask. */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  mode = 0o600,
): Promise<void> {
  const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.chmod(mode);
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes what a writer that was killed has left in a folder that nobody else writes to now. */
export async function removeHalfWritten(folder: string): Promise<void> {
  const halfWritten = (await readdir(folder)).filter((name) => /^\.[0-9a-f]{12}\.tmp$/.test(name));
  await Promise.all(halfWritten.map((name) => rm(join(folder, name), { force: true })));
}

/** Makes `path` and its parents; `path` itself gets exactly `mode`, whatever the umask. */
export async function ensureDir(path: string, mode = 0o700): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  await chmod(path, mode);
}
