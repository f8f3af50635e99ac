import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf } from '../lib/errors.js';

/** What holds the processes that were in the delegated cgroup, which can have none of its own next to groups with limits. */
const launcherGroup = 'launcher';

/**
 * Makes an empty cgroup `name` for a node in the delegated one that this process was started in, and returns its folder.
 * All that is left in one of an earlier node is killed. This process and its neighbours move to a sibling, once.
 */
export async function freshNodeCgroup(
  name: string,
  roots: { sysfs: string; self: string } = { sysfs: '/sys/fs/cgroup', self: '/proc/self/cgroup' },
): Promise<string> {
  const [, own = '/'] = /^0::(\/.*)$/m.exec(await readFile(roots.self, 'utf8')) ?? [];
  const current = join(roots.sysfs, own);
  const delegated = basename(current) === launcherGroup ? dirname(current) : current;
  if (current === delegated) await makeRoom(delegated);
  const folder = join(delegated, name);
  await removeCgroup(folder);
  await mkdir(folder);
  return folder;
}

/** Goes before a command: it becomes that command, in the cgroup. */
export function enterCgroup(folder: string): string[] {
  return ['sh', '-ec', 'echo $$ >"$0/cgroup.procs"; exec "$@"', folder];
}

async function makeRoom(delegated: string): Promise<void> {
  const refuge = join(delegated, launcherGroup);
  await mkdir(refuge, { recursive: true });
  // Again until none is left: one may have started another just before it was moved.
  for (;;) {
    // 0 stands for a process outside of our PID namespace, which cannot be moved.
    const pids = (await words(join(delegated, 'cgroup.procs'))).filter((pid) => pid !== '0');
    if (pids.length === 0) break;
    for (const pid of pids) {
      await writeFile(join(refuge, 'cgroup.procs'), pid).catch((error: unknown) => {
        if (errnoOf(error) !== 'ESRCH') throw error; // it has ended meanwhile
      });
    }
  }
  for (const controller of await words(join(delegated, 'cgroup.controllers')))
    await writeFile(join(delegated, 'cgroup.subtree_control'), `+${controller}`);
}

/** Kills what is in a cgroup and removes it, those below first. */
async function removeCgroup(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
  if (entries === undefined) return;
  await writeFile(join(folder, 'cgroup.kill'), '1');
  for (const entry of entries) if (entry.isDirectory()) await removeCgroup(join(folder, entry.name));
  for (;;) {
    try {
      return await rmdir(folder);
    } catch (error) {
      // The killed take a moment to end.
      if (errnoOf(error) !== 'EBUSY') throw error;
      await delay(20);
    }
  }
}

async function words(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8')).split(/\s+/).filter(Boolean);
}
