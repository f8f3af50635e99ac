import { statfs } from 'node:fs/promises';
import { FatalArtifactError } from '../errors.js';
import type { LockEntry } from '../recipe.js';

/** Bytes to get, and how many files are of unknown size. */
export type Needs = { files: number; bytes: number; unknown: number; space: number };

/** An archive needs its own size and that of its programs, which is at most three times as much. */
const unpackedFactor = 4;

export function needsOf(files: readonly { entry: LockEntry; size: number | undefined }[]): Needs {
  const known = files.flatMap(({ entry, size }) => (size === undefined ? [] : [{ entry, size }]));
  return {
    files: files.length,
    bytes: known.reduce((sum, { size }) => sum + size, 0),
    unknown: files.length - known.length,
    space: known.reduce(
      (sum, { entry, size }) => sum + size * (entry.kind === 'binary' ? 1 : unpackedFactor),
      0,
    ),
  };
}

export function addNeeds(all: readonly Needs[]): Needs {
  return all.reduce(
    (sum, each) => ({
      files: sum.files + each.files,
      bytes: sum.bytes + each.bytes,
      unknown: sum.unknown + each.unknown,
      space: sum.space + each.space,
    }),
    { files: 0, bytes: 0, unknown: 0, space: 0 },
  );
}

/** How much there is to download, as far as anybody has said. */
export function describeNeeds({ files, bytes, unknown }: Needs): string {
  const count = files === 1 ? '1 file' : `${files} files`;
  if (unknown === files) return `${count} to download, of unknown size`;
  return unknown === 0
    ? `${count} to download, ${megabytes(bytes)} MB`
    : `${count} to download, at least ${megabytes(bytes)} MB: the size of ${unknown} is not known`;
}

/** Throws before anything is downloaded that has no room. Quotas show only while it is written. */
export async function requireSpace(folder: string, { space }: Needs): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (space <= bavail * bsize) return;
  throw new FatalArtifactError(
    'disk-full',
    `the downloads need ${megabytes(space)} MB in ${folder}, which has ${megabytes(bavail * bsize)} MB left`,
    { fixes: [`free space: df -h ${folder}`, 'set XDG_DATA_HOME to a folder on a larger file system'] },
  );
}

const megabytes = (bytes: number): string => Math.ceil(bytes / 1e6).toString();
