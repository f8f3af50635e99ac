import type { KubeClient } from '../kube/client.js';
import type { Paths } from '../cluster/paths.js';
import { U7sError } from '../lib/errors.js';
import type { Cli } from './command.js';

/** A client with all rights over the running cluster, which only the host of its control plane has. */
export async function adminClient(cli: Cli, paths: Paths): Promise<KubeClient> {
  const [{ clusterStatus }, { connect }] = await Promise.all([
    import('../cluster/control.js'),
    import('../cluster/bring-up.js'),
  ]);
  const status = await clusterStatus(paths.controlSocket, cli.signal);
  if (status === undefined) throw new U7sError('the cluster is not running', { fix: 'u7s up' });
  if (status.apiServer === undefined) throw new U7sError('this cluster has no Kubernetes');
  if (status.role === 'worker') {
    throw new U7sError(`this node works for the control plane ${status.apiServer}`, {
      fix: 'type this on the host of that one',
    });
  }
  const file = (name: string): string => `${paths.pki}/${name}`;
  return connect({
    server: status.apiServer,
    caFile: file('ca.crt'),
    certFile: file('admin.crt'),
    keyFile: file('admin.key'),
  });
}
