import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import { extract as extractTar, list as listTar, type ReadEntry } from 'tar';
import { FatalArtifactError, orDiskFull } from '../errors.js';
import type { LockEntry } from '../recipe.js';

/**
 * Moves the executables of a checked download into `bin`. Refuses an archive with any entry that could reach outside of the
 * archive's own tree, whether we want that entry or not.
 */
export async function unpack(entry: LockEntry, path: string, bin: string): Promise<void> {
  try {
    if (entry.kind === 'binary') {
      const target = join(bin, entry.name);
      await rename(path, target);
      await chmod(target, 0o755);
    } else {
      await extractMembers(path, entry.members ?? [], bin);
    }
  } catch (error) {
    throw orDiskFull(error, bin);
  }
}

export async function extractMembers(
  archive: string,
  members: readonly string[],
  bin: string,
): Promise<void> {
  const wanted = new Set(members.map((member) => posix.normalize(member)));
  await requireSound(archive, wanted);
  const temporary = join(bin, '.unpacked');
  await mkdir(temporary);
  try {
    await extractTar({
      file: archive,
      cwd: temporary,
      strict: true,
      preserveOwner: false,
      filter: (path) => wanted.has(posix.normalize(path)),
    });
    for (const member of wanted) {
      const target = join(bin, basename(member));
      await rename(join(temporary, member), target);
      await chmod(target, 0o755);
    }
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Reads the whole archive before anything is written. Throws when it lacks a file that is wanted, or when an entry could
 * reach outside of the archive's own tree.
 */
export async function requireSound(archive: string, wanted: ReadonlySet<string> = new Set()): Promise<void> {
  const missing = new Set(wanted);
  let refusal: string | undefined;
  try {
    await listTar({
      file: archive,
      strict: true,
      onReadEntry: (entry) => {
        const path = posix.normalize(entry.path);
        refusal ??= reasonToRefuse(entry);
        if (wanted.has(path) && !isRegular(entry)) refusal ??= `${entry.path} is not a regular file`;
        missing.delete(path);
      },
    });
  } catch (error) {
    throw new FatalArtifactError('archive-refused', `${basename(archive)} is not a sound archive`, {
      cause: error,
    });
  }
  if (missing.size > 0) refusal ??= `it has no ${[...missing].join(', ')}`;
  if (refusal !== undefined)
    throw new FatalArtifactError('archive-refused', `${basename(archive)} is refused: ${refusal}`);
}

function reasonToRefuse(entry: ReadEntry): string | undefined {
  const linkBase = entry.type === 'SymbolicLink' ? posix.dirname(entry.path) : '';
  switch (entry.type) {
    case 'SymbolicLink':
    case 'Link':
      if (leavesTree(entry.linkpath ?? '', linkBase))
        return `${entry.path} links out of it, to ${entry.linkpath}`;
      break;
    case 'Directory':
    case 'GNUDumpDir':
      break;
    default:
      if (!isRegular(entry)) return `${entry.path} is a special file (${entry.type})`;
  }
  return leavesTree(entry.path) ? `${entry.path} lies outside of it` : undefined;
}

function isRegular(entry: ReadEntry): boolean {
  return ['File', 'OldFile', 'ContiguousFile'].includes(entry.type);
}

function leavesTree(path: string, base = ''): boolean {
  if (posix.isAbsolute(path) || path.includes('\0')) return true;
  // Any `..` in a member's own path is refused, even one that stays inside.
  if (base === '' && path.split('/').includes('..')) return true;
  return posix.join(base, path).split('/')[0] === '..';
}
