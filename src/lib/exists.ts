import { access, constants } from 'node:fs/promises';

/** Whether we can reach `path`; with `mode`, whether we may also use it that way: `constants.W_OK | constants.X_OK`. */
export async function exists(path: string, mode: number = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

/** For a folder: whether we may enter it. */
export async function isExecutable(path: string): Promise<boolean> {
  return exists(path, constants.X_OK);
}
