import { readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { thisHost } from '../host/host.js';
import { stopInstance } from '../launcher/client.js';
import { removeHalfWritten } from '../lib/atomic-file.js';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';
import { runOk } from '../lib/exec.js';
import { exists } from '../lib/exists.js';
import { withLock } from '../lib/lock-file.js';
import { untilGone } from '../lib/processes.js';
import { namespacePid } from '../rootless/nsenter.js';
import type { Paths } from '../settings/paths.js';
import { runtimes } from '../runtimes/table.js';
import { readRemembered } from '../settings/remembered.js';
import { isServed } from '../supervisor/control-socket.js';
import type { InstanceContext } from './context.js';

/**
 * Stops what runs of the instance and then removes what `targets` finds of it; returns that. `cleanup`, `reset`, `leave`
 * and a join that failed share it.
 */
export async function stopAndRemove(
  { env, paths, signal }: Pick<InstanceContext, 'env' | 'paths' | 'signal'>,
  targets: (paths: Paths) => Promise<string[]>,
): Promise<string[]> {
  await stopInstance(paths.controlSocket, signal);
  await removeStaleSocket(paths, env);
  const found = await targets(paths);
  const rootlesskit = await installedRootlessKit(paths);
  await removeAll(found, { rootlesskit, home: paths.home, signal });
  return found;
}

/** What is removed of an instance that is to be as new; the folder of its state itself stays. */
export async function resetTargets(paths: Paths): Promise<string[]> {
  const entries = await readdir(paths.state).catch(() => []);
  return [paths.runtime, ...entries.map((entry) => join(paths.state, entry))];
}

/** What an engine that was killed has left where others look for docker. */
async function removeStaleSocket(
  { remembered, dockerSocket }: Paths,
  env: InstanceContext['env'],
): Promise<void> {
  const known = await readRemembered(remembered).catch(() => undefined);
  if (known === undefined || runtimes[known.runtime].engine === undefined) return;
  if ((await thisHost(env).unixSocket(dockerSocket)) !== 'free') return;
  await rm(dockerSocket, { force: true });
}

/** Removes what a launcher that was killed has left, unless another is just being started. */
export async function removeStaleRuntime(paths: Paths): Promise<void> {
  const busy = new AbortController();
  const remove = async (): Promise<void> => {
    if (!(await isServed(paths.controlSocket))) await removeRuntime(paths);
  };
  await withLock(paths.startLock, busy.signal, () => busy.abort(), remove).catch((error: unknown) => {
    if (!busy.signal.aborted && errnoOf(error) !== 'ENOENT') throw error;
  });
  await rmdir(paths.runtime).catch(() => undefined);
}

/** The same for who holds the start lock, when no launcher runs. */
export async function removeRuntime(paths: Paths): Promise<void> {
  const left = [paths.ready, paths.rootlesskit, paths.engine, paths.dns, paths.controlSocket];
  await Promise.all(left.map((path) => rm(path, { recursive: true, force: true })));
}

/** What is left of a start when its launcher has ended: even one that was killed, whose node is still dying. */
export async function removeFailedStart(paths: Paths): Promise<void> {
  const pid = await namespacePid(paths.childPid).catch(() => undefined);
  if (pid !== undefined) await untilGone([{ pid }]);
  await removeRuntime(paths);
  await sweep(paths);
}

/** Removes what writers that were killed have left half-written; nobody else may write there now. */
export async function sweep({ state, etc, pki }: Paths): Promise<void> {
  await Promise.all([state, etc, pki].map(removeHalfWritten));
}

type Removal = {
  /** RootlessKit's binary, if it was ever installed: without it no file of a sub-UID can have been made. */
  rootlesskit: string | undefined;
  home: string;
  signal: AbortSignal;
};

/**
 * Removes `targets`. Files of pods belong to the user's sub-UIDs, who outside a user namespace are strangers: those
 * are removed from inside one, where the user is root over them.
 */
async function removeAll(targets: readonly string[], removal: Removal): Promise<void> {
  for (const target of targets) {
    try {
      await rm(target, { recursive: true, force: true });
    } catch (error) {
      const foreign = ['EACCES', 'EPERM', 'ENOTEMPTY'].includes(errnoOf(error) ?? '');
      if (!foreign || removal.rootlesskit === undefined) throw error;
      await removeInUserNamespace(target, removal.rootlesskit, removal);
    }
    await removeEmptyParent(target);
  }
}

async function removeInUserNamespace(target: string, rootlesskit: string, removal: Removal): Promise<void> {
  await runOk(rootlesskit, ['rm', '-rf', '--one-file-system', '--', target], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: removal.home },
    signal: removal.signal,
  }).catch((cause: unknown) => {
    const [, refused] = /cannot remove '(.*)': Permission denied/.exec(messageOf(cause)) ?? [];
    if (refused === undefined) throw cause;
    throw new U7sError(
      'foreign-files',
      `cannot remove ${refused}: it belongs to none of the sub-IDs that this user has now`,
      {
        fixes: [
          'restore the previous sub-IDs in /etc/subuid and /etc/subgid',
          `or, as root: rm -rf ${target}`,
        ],
        cause,
      },
    );
  });
}

/** `…/usernetes` itself goes with the last cluster in it. */
async function removeEmptyParent(target: string): Promise<void> {
  const parent = dirname(target);
  if (!parent.endsWith('/usernetes')) return;
  await rmdir(parent).catch((error: unknown) => {
    if (!['ENOTEMPTY', 'ENOENT', 'EEXIST'].includes(errnoOf(error) ?? '')) throw error;
  });
}

/** The targets that are there. */
export async function present(targets: readonly string[]): Promise<string[]> {
  const found = await Promise.all(targets.map(async (target) => ((await exists(target)) ? [target] : [])));
  return found.flat();
}

/** Finds RootlessKit among the installed artifacts, whatever its version. */
async function installedRootlessKit(paths: Paths): Promise<string | undefined> {
  const folder = join(paths.artifacts, 'rootlesskit');
  const versions = await readdir(folder).catch(() => []);
  const [binary] = await present(versions.map((version) => join(folder, version, 'bin/rootlesskit')));
  return binary;
}
