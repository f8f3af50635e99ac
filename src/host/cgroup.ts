import { constants, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { u7s, type Fix } from '../lib/fixes.js';
import { exists } from '../lib/exists.js';
import { userManager, type UserManager } from './systemd.js';

export type Cgroups = {
  /** Whether pods can have limits: only in a cgroup v2 directory that is ours, with the controllers they need. */
  mode: 'delegated' | 'none';
  version: 'v1' | 'v2' | 'hybrid';
  /** Of the cgroup that the node would run in, cgroup v2 only. */
  controllers: string[];
  /** One line: how it stands, and when limits are off, what is missing. */
  reason: string;
  /** What turns limits on; none when they are. */
  fixes: readonly Fix[];
  /** Goes before a command to run it in the delegated cgroup; empty when we are in it already. */
  enter: string[];
};

const neededControllers = ['cpu', 'memory', 'pids'];

/** A cgroup of its own, which the user's systemd leaves alone until the last process in it has ended. */
const enterScope = [
  ...['systemd-run', '--user', '--scope', '--quiet', '--collect'],
  ...['--property=Delegate=yes', '--property=TasksMax=infinity', '--'],
];

/**
 * Looks at the cgroup of this process and, where that is not delegated, at the one that the user's systemd can delegate.
 * All but the environment are parameters for the sake of tests.
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
      reason: `pod limits are off: this host uses cgroup ${hybrid ? 'v1 and v2 (hybrid)' : 'v1'}`,
      fixes: [delegate('boot with systemd.unified_cgroup_hierarchy=1, then')],
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
  const off = (why: string, fix: Fix): Cgroups => ({
    ...{ mode: 'none', version: 'v2', controllers, enter: [] },
    reason: `pod limits are off: ${why}`,
    fixes: [fix],
  });

  if (cgroup === undefined) {
    return off(
      `the cgroup ${own} is not delegated to this user, and no systemd of the user runs that could delegate one (Delegate=yes)`,
      delegate('have systemd delegate one'),
    );
  }
  const missing = neededControllers.filter((name) => !controllers.includes(name));
  if (missing.length > 0) {
    return off(
      `${missing.join(', ')} not delegated in the cgroup ${cgroup} (Delegate=)`,
      delegate('have systemd delegate it, then restart the host'),
    );
  }
  return {
    mode: 'delegated',
    version: 'v2',
    controllers,
    reason: `pod limits are on: ${controllers.join(', ')} delegated${delegated ? '' : " by the user's systemd"}`,
    fixes: [],
    enter: delegated ? [] : enterScope,
  };
}

function delegate(text: string): Fix {
  return u7s(['init-host'], { about: 'host', text });
}

/** The unit whose cgroup this is, or in whose cgroup it lies. */
function unitOf(cgroup: string): string | undefined {
  return cgroup.split('/').findLast((name) => /\.(service|scope)$/.test(name));
}

/** Everything below the cgroup of the user's systemd is writable, but only what it delegates is ours. */
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
