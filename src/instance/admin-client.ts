import type { KubeClient } from '../kube/client.js';
import { identityFiles } from '../pki/identity.js';
import type { Paths } from '../settings/paths.js';
import { U7sError } from '../lib/errors.js';
import type { Cli } from '../cli/command.js';

/** A client with all rights over the running cluster, which only the host of its control plane has. */
export async function adminClient(cli: Cli, paths: Paths): Promise<KubeClient> {
  const [{ instanceStatus }, { connect }] = await Promise.all([
    import('../launcher/client.js'),
    import('../kube/connect.js'),
  ]);
  const status = await instanceStatus(paths.controlSocket, cli.signal);
  if (status === undefined) throw new U7sError('todo', 'the cluster is not running', { fixes: ['u7s up'] });
  if (status.apiServer === undefined) throw new U7sError('todo', 'this cluster has no Kubernetes');
  if (status.role === 'worker') {
    throw new U7sError('todo', `this node works for the control plane ${status.apiServer}`, {
      fixes: ['type this on the host of that one'],
    });
  }
  return connect({ server: status.apiServer, ...identityFiles(paths.pki, 'admin') });
}
