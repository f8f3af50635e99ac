import type { KubeClient } from '../kube/client.js';
import { withClient } from '../kube/connect.js';
import { instanceStatus } from '../launcher/client.js';
import { U7sError } from '../lib/errors.js';
import { identityFiles } from '../pki/identity.js';
import { notControlPlane } from './not-control-plane.js';
import { notRunning } from './not-running.js';
import type { InstanceContext } from './context.js';

/** Gives `work` a client with all rights over the running cluster, which only the host of its control plane has. */
export async function asAdmin<T>(
  { name, paths, signal }: InstanceContext,
  work: (client: KubeClient) => Promise<T>,
): Promise<T> {
  const status = await instanceStatus(paths.controlSocket, signal);
  if (status === undefined) throw notRunning(name);
  if (status.apiServer === undefined)
    throw new U7sError('no-kubernetes', `cluster ${name} has no Kubernetes`);
  if (status.role === 'worker') throw notControlPlane(status.apiServer);
  return withClient({ server: status.apiServer, ...identityFiles(paths.pki, 'admin') }, work);
}
