import { userInfo } from 'node:os';
import { checkContext, preflightForUp, requireHost, type CheckContext } from '../host/preflight.js';
import type { NamespaceTrial } from '../host/namespace-trial.js';
import type { Paths } from '../settings/paths.js';
import type { Settings } from '../settings/schema.js';
import type { Cli } from '../cli/command.js';

/** The host as the checks see it, for whoever runs us. */
export function hostContext(
  cli: Cli,
  { api, dockerSocket }: Pick<CheckContext, 'api' | 'dockerSocket'>,
): Promise<CheckContext> {
  const { uid, gid, username } = userInfo();
  return checkContext({
    env: cli.io.env,
    uid,
    gid,
    userName: username,
    api,
    dockerSocket,
    node: { path: process.execPath, version: process.versions.node },
  });
}

/** The host as the start of this cluster sees it. */
export function hostOf(
  cli: Cli,
  { apiAddress, apiPort, controlPlane, kubernetes, runtime }: Settings,
  paths: Paths,
): Promise<CheckContext> {
  return hostContext(cli, {
    api: kubernetes && controlPlane === undefined ? { address: apiAddress, port: apiPort } : undefined,
    dockerSocket: runtime === 'docker' ? paths.dockerSocket : undefined,
  });
}

/** Refuses a host on which the cluster could not start, quick enough for every start; returns what was tried on it. */
export async function hostCheck(context: CheckContext): Promise<NamespaceTrial> {
  requireHost(await preflightForUp(context));
  return context.namespaceTrial();
}
