import { execFile } from 'node:child_process';
import { watch } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { exists } from '../lib/exists.js';

/** A folder of the host in which the node has one of its own, kept in the state of the instance. */
export type HostPath = { source: string; target: string };

/** Where charts expect that a node keeps what pods write there by hostPath. */
const kept = ['/opt', '/srv', '/mnt', '/var/lib'] as const;

/** The host's own folders, from which links lead to what the host has there. */
const aside = '/run/usernetes/host';

export const hostPathsIn = (folder: string): HostPath[] =>
  kept.map((target) => ({ source: join(folder, target), target }));

const exec = promisify(execFile);

/**
 * Puts the instance's own folder in the place of each, with links to what the host has in it. So what pods write is on disk,
 * and what the host has is still found. The names in `own` are the node's, and lead nowhere else.
 */
export async function keepHostPaths(paths: readonly HostPath[], own: readonly string[]): Promise<void> {
  await Promise.all(paths.map((path) => keep(path, own)));
}

async function keep({ source, target }: HostPath, own: readonly string[]): Promise<void> {
  if (!(await exists(target))) return;
  const original = join(aside, target);
  await mkdir(original, { recursive: true });
  await exec('mount', ['--rbind', target, original]);
  await mkdir(source, { recursive: true, mode: 0o700 });
  await chmod(source, 0o755);
  const names = own.flatMap((path) => nameIn(target, path) ?? []);
  await linkEntries(original, source, names);
  await exec('mount', ['--bind', source, target]);
  follow(original, () => linkEntries(original, target, names));
}

/** `kubelet` for /var/lib/kubelet in /var/lib. */
function nameIn(folder: string, path: string): string | undefined {
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1).split('/')[0] : undefined;
}

/** In `folder` a link to each entry of `original`, unless the name is taken. */
export async function linkEntries(original: string, folder: string, own: readonly string[]): Promise<void> {
  const theirs = new Set((await readdir(original)).filter((name) => !own.includes(name)));
  const ours = await readdir(folder, { withFileTypes: true });
  for (const entry of ours) {
    const path = join(folder, entry.name);
    const isLink = entry.isSymbolicLink() && dirname(await readlink(path)) === original;
    // What the host has no longer, and what has to be a folder of the node's.
    const stale = isLink && !theirs.has(entry.name);
    const inTheWay = own.includes(entry.name) && !entry.isDirectory();
    if (stale || inTheWay) await rm(path);
  }
  for (const name of theirs) {
    const path = join(folder, name);
    const taken = await lstat(path).catch(() => undefined);
    if (taken === undefined) await symlink(join(original, name), path);
  }
}

/** A disk that somebody mounts at a new folder of /mnt is to be found there. */
function follow(folder: string, relink: () => Promise<void>): void {
  let last = Promise.resolve();
  try {
    watch(folder, { persistent: false }, () => {
      last = last.then(relink).catch(() => undefined);
    }).on('error', () => undefined);
  } catch {
    // The account has no watches left: what is new is found at the next start.
  }
}
