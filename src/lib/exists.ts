import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether we can reach `path`; with `mode`, whether we may also use it that way: `constants.W_OK | constants.X_OK`. */
export async function exists(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

/** Whether we may execute a file, or enter a folder. */
export async function isExecutable(path: string): Promise<boolean> {
  return exists(path, constants.X_OK);
}

/** The first executable called `name` in these folders, as on a PATH. */
export async function findExecutable(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const candidate = join(folder, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}
