import { stat } from 'node:fs/promises';

/** What the file system says of a file that changes whenever the file does. Throws for one that is not there. */
export async function appearanceOf(path: string): Promise<string> {
  const { size, mtimeNs, ctimeNs, ino } = await stat(path, { bigint: true });
  return [size, mtimeNs, ctimeNs, ino].join(' ');
}

/** Of several files, one a line; those that are not there count, too. */
export async function appearancesOf(paths: readonly string[]): Promise<string> {
  const lines = paths.map(async (path) => `${path} ${await appearanceOf(path).catch(() => '-')}`);
  return (await Promise.all(lines)).join('\n');
}
