import { execFile } from 'node:child_process';
import { lstat, mkdir, readFile, readlink, realpath, rmdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { exists } from '../lib/exists.js';
import { findMount } from '../lib/mounts.js';

/**
 * What a node's namespaces show of a folder of the host: nothing, but for the paths in it that it needs, and links of our own by
 * their names.
 */
export type HiddenFolder = { folder: string; keep: string[]; links?: Record<string, string> };

/** Folders of the account that a node does not see as they are on the host. Those that do not exist are left out. */
export type View = { hidden: HiddenFolder[]; readOnly: string[] };

const exec = promisify(execFile);
const staging = '/run/usernetes/view';

/**
 * Puts an empty, read-only folder over each, with what is kept of it mounted there. Root of the namespaces can undo that; a
 * container that has one of those folders mounted, or has broken out without CAP_SYS_ADMIN, cannot.
 */
export async function narrowView({ hidden, readOnly }: View): Promise<void> {
  // In this order, since one may lie in another.
  for (const [index, each] of hidden.entries())
    if (await exists(each.folder)) await hide(each, join(staging, String(index)));
  await Promise.all(readOnly.map(makeReadOnly));
}

/** Prepared elsewhere and then put there at once: whoever looks finds what is kept at any moment. */
async function hide({ folder, keep, links = {} }: HiddenFolder, stage: string): Promise<void> {
  await mkdir(stage, { recursive: true });
  await exec('mount', ['-t', 'tmpfs', '-o', 'mode=0755,size=64k', 'none', stage]);
  for (const path of keep) await keepIn(join(stage, relative(folder, path)), path);
  for (const [name, target] of Object.entries(links)) await symlink(target, join(stage, name));
  await exec('mount', ['--rbind', stage, folder]);
  await exec('mount', ['-o', 'remount,bind,ro', folder]);
  await exec('umount', ['-R', '-l', stage]);
  await rmdir(stage);
}

async function keepIn(place: string, path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  await mkdir(dirname(place), { recursive: true });
  if (found.isSymbolicLink()) return symlink(await readlink(path), place);
  if (found.isDirectory()) await mkdir(place, { recursive: true });
  else await writeFile(place, '');
  await exec('mount', ['--rbind', path, place]);
}

async function makeReadOnly(folder: string): Promise<void> {
  if (!(await exists(folder))) return;
  await exec('mount', ['--rbind', folder, folder]);
  // Flags that the host's root has set, such as nosuid, may not be taken away.
  const { options = [] } =
    findMount(await readFile('/proc/self/mountinfo', 'utf8'), await realpath(folder)) ?? {};
  const kept = options.filter((option) => option !== 'rw' && option !== 'ro');
  await exec('mount', ['-o', ['remount', 'bind', 'ro', ...kept].join(','), folder]);
}
