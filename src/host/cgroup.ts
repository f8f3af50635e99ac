import { constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../lib/exists.js';
import { userManager, type UserManager } from './systemd.js';

export type Cgroups = {
  /** Whether pods can have limits: only in a cgroup v2 directory that is ours, with the controllers they need. */
  mode: 'delegated' | 'none';
  version: 'v1' | 'v2' | 'hybrid';
  /** Of the cgroup that the node would run in, cgroup v2 only. */
  controllers: string[];
  /** One line: how it stands, and when limits are off what is missing and what would turn them on. */
  reason: string;
  /** What to put before a command so that it runs in the delegated cgroup; nothing where we are in it already. */
  enter: string[];
};

const neededControllers = ['cpu', 'memory', 'pids'];

/** A cgroup of its own, from which the user's systemd keeps its hands until the last process in it has ended. */
const enterScope = [
  ...['systemd-run', '--user', '--scope', '--quiet', '--collect'],
  ...['--property=Delegate=yes', '--property=TasksMax=infinity', '--'],
];

/**
 * Looks at the cgroup this process is in and, where that is not delegated, at what the user's systemd has to give. All
 * but the environment are parameters for the sake of tests.
 */
export async function detectCgroups(
  env: Record<string, string | undefined>,
  roots: { sysfs: string; self: string } = { sysfs: '/sys/fs/cgroup', self: '/proc/self/cgroup' },
  askManager = userManager,
): Promise<Cgroups> {
  if ((await read(join(roots.sysfs, 'cgroup.controllers'))) === undefined) {
    const hybrid = (await read(join(roots.sysfs, 'unified', 'cgroup.controllers'))) !== undefined;
    return {
      mode: 'none',
      version: hybrid ? 'hybrid' : 'v1',
      controllers: [],
      reason: `pod limits are off: this host uses cgroup ${hybrid ? 'v1 beside v2' : 'v1'}; boot it with systemd.unified_cgroup_hierarchy=1 and run --init-host`,
      enter: [],
    };
  }

  const own = /^0::(\/.*)$/m.exec((await read(roots.self)) ?? '')?.[1] ?? '/';
  const manager = await askManager(unitOf(own), env);
  const delegated = isDelegated(own, manager) && (await isWritable(join(roots.sysfs, own)));
  const cgroup = delegated ? own : manager?.cgroup;
  const names =
    cgroup === undefined ? undefined : await read(join(roots.sysfs, cgroup, 'cgroup.controllers'));
  const controllers = names?.trim().split(/\s+/).filter(Boolean) ?? [];
  const none = (reason: string): Cgroups => ({ mode: 'none', version: 'v2', controllers, reason, enter: [] });

  if (cgroup === undefined) {
    return none(
      `pod limits are off: the cgroup ${own} is not delegated to this user, and no systemd of the user's runs that has one to give (Delegate=yes); run --init-host, which arranges that`,
    );
  }
  const missing = neededControllers.filter((name) => !controllers.includes(name));
  if (missing.length > 0) {
    return none(
      `pod limits are off: ${missing.join(', ')} not delegated in the cgroup ${cgroup} (Delegate=); run --init-host, then restart the host`,
    );
  }
  return {
    mode: 'delegated',
    version: 'v2',
    controllers,
    reason: `pod limits are on: ${controllers.join(', ')} delegated${delegated ? '' : " by the user's systemd"}`,
    enter: delegated ? [] : enterScope,
  };
}

/** The unit whose cgroup this is, or lies in. */
function unitOf(cgroup: string): string | undefined {
  return cgroup.split('/').findLast((name) => /\.(service|scope)$/.test(name));
}

/** Below the cgroup of the user's systemd everything can be written, but only what it says to be delegated is ours. */
function isDelegated(cgroup: string, manager: UserManager | undefined): boolean {
  return manager === undefined || !cgroup.startsWith(`${manager.cgroup}/`) || manager.delegatesUnit;
}

async function isWritable(directory: string): Promise<boolean> {
  const writable = ['.', 'cgroup.procs', 'cgroup.subtree_control'].map((name) =>
    exists(join(directory, name), constants.W_OK),
  );
  return !(await Promise.all(writable)).includes(false);
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
