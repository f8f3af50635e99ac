import { dirname } from 'node:path';
import { withdrawContext } from '../host/docker-context.js';
import { removeUnit, userUnit } from '../host/systemd.js';
import { instanceName, type Paths } from '../settings/paths.js';
import type { InstanceContext } from './context.js';
import { withdrawKubeconfig } from './kubeconfig.js';
import { present, stopAndRemove } from './removal.js';

export type CleanupRequest = {
  /** Also what the instances of this user share: binaries, caches, copies of the launcher. */
  all: boolean;
  /** Only say what would be removed. */
  dryRun: boolean;
  /** Hears each path once it is gone. */
  onRemoved?: (path: string) => void;
};

/** Stops the instance and removes everything of it, data included. Returns the paths that were, or would be, removed. */
export async function cleanup(context: InstanceContext, request: CleanupRequest): Promise<string[]> {
  const { all, dryRun, onRemoved = () => undefined } = request;
  const { dockerConfig, env, kubeconfig, name, paths, signal } = context;
  if (dryRun) return present(cleanupTargets(paths, all));
  const unit = userUnit(instanceName(name), paths.configHome);
  const units = (await removeUnit(unit, env)) ? [unit.file] : [];
  units.forEach(onRemoved);
  const removed = await stopAndRemove(context, (of) => present(cleanupTargets(of, all)));
  removed.forEach(onRemoved);
  await withdrawContext(dockerConfig, instanceName(name), paths.dockerSocket);
  // Last, since a file that cannot be understood is left to its owner.
  await withdrawKubeconfig(name, paths, kubeconfig, signal);
  return [...units, ...removed];
}

function cleanupTargets(paths: Paths, all: boolean): string[] {
  const ofInstance = [paths.runtime, paths.state];
  return all ? [...ofInstance, paths.dataHome, dirname(paths.goCache)] : ofInstance;
}
