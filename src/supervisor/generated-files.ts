import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';
import type { GeneratedFile } from './definition.js';

export async function writeFiles(files: readonly GeneratedFile[]): Promise<void> {
  for (const { path, content, mode } of files) {
    try {
      await makeMissingDir(dirname(path));
      await writeFileAtomic(path, content, { mode, durable: false }); // it is written again at the next start
    } catch (error) {
      throw new U7sError(
        errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT' ? 'disk-full' : 'not-writable',
        `cannot write ${path}: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }
}

/** Folders that are missing are made 0700, whatever the umask; those that exist are left as they are. */
export async function makeMissingDir(path: string): Promise<void> {
  try {
    await mkdir(path, 0o700);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    if (errnoOf(error) !== 'ENOENT') throw error;
    await makeMissingDir(dirname(path));
    return makeMissingDir(path);
  }
  await chmod(path, 0o700);
}
