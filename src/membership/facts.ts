import type { KubeClient } from '../kube/client.js';
import { KubeError } from '../kube/errors.js';
import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { parseShared, type SharedSettings } from '../settings/shared.js';

/** A ConfigMap that the control plane keeps: config/manifests/nodes/joining.yaml. */
const path = '/api/v1/namespaces/kube-system/configmaps/usernetes';

/** The settings that all nodes of the cluster share. Read with the token, so that this shows whether the token is good. */
export async function readFacts(client: KubeClient, signal: AbortSignal): Promise<SharedSettings> {
  try {
    const { data } = await client.get<{ data: Record<string, string> }>(path, { signal });
    return parseShared(JSON.parse(data['cluster.json'] ?? ''));
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    switch (error.status) {
      case 401:
        throw new U7sError(
          'token-unknown',
          'the control plane does not know the token: it has expired, was revoked or has been used',
          { fixes: [u7s(['join-command'], { on: 'control-plane', text: 'get another' })], cause: error },
        );
      case 403:
      case 404:
        throw new U7sError('one-node-only', 'the control plane accepts no other nodes', {
          fixes: [
            {
              text: 'start it again with an address that other hosts reach',
              commands: [['down'], ['up', '-d', '--host-ip', 'ADDRESS'], ['join-command']],
              on: 'control-plane',
            },
          ],
          cause: error,
        });
      default:
        throw error;
    }
  }
}
