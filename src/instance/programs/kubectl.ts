import { U7sError } from '../../lib/errors.js';
import { exists } from '../../lib/exists.js';
import { u7s } from '../../lib/fixes.js';
import { namespacePid } from '../../rootless/nsenter.js';
import { readRemembered, type Remembered } from '../../settings/remembered.js';
import { instanceArtifacts } from '../artifacts.js';
import type { InstanceContext } from '../context.js';
import { notControlPlane } from '../not-control-plane.js';
import { anotherInstance, type Invocation } from './invocation.js';

/** How kubectl is executed as the administrator of the cluster. */
export async function kubectl(context: InstanceContext, args: readonly string[]): Promise<Invocation> {
  const { env, paths } = context;
  const remembered = await readRemembered(paths.remembered);
  if (needsCluster(args)) await requireCluster(context, remembered);
  const artifacts = await instanceArtifacts(context, remembered, ['kubernetes']);
  const command = artifacts.get('kubernetes')?.binaries.kubectl;
  if (command === undefined) throw new Error('the Kubernetes artifact has no kubectl');
  return { command, args, env: { ...env, KUBECONFIG: paths.adminKubeconfig } };
}

async function requireCluster(
  { env, name, paths }: InstanceContext,
  remembered: Remembered | undefined,
): Promise<void> {
  if (remembered?.kubernetes === false) {
    throw new U7sError('no-kubernetes', `cluster ${name} is ${remembered.preset}, which has no Kubernetes`, {
      fixes: [anotherInstance('default-docker')],
    });
  }
  // In the node's namespaces the host's process IDs mean nothing.
  if (!env.ROOTLESSKIT_STATE_DIR) await namespacePid(paths.childPid);
  if (await exists(paths.adminKubeconfig)) return;
  const controlPlane = remembered?.controlPlane;
  if (controlPlane !== undefined) throw notControlPlane(controlPlane, 'kubectl');
  throw new U7sError('starting', `cluster ${name} is still starting`, {
    fixes: [u7s(['status'], { text: 'wait for it' })],
  });
}

const localVerbs = new Set([undefined, 'help', 'options', 'completion', 'config', 'kustomize', 'plugin']);

/** Whether kubectl will talk to the API server. */
export function needsCluster(args: readonly string[]): boolean {
  if (args.some((arg) => arg === '--help' || arg === '-h' || arg === '--client')) return false;
  return !localVerbs.has(args.find((arg) => !arg.startsWith('-')));
}
