import { z } from 'zod';
import type { KubeClient } from '../kube/client.js';
import { KubeError } from '../kube/errors.js';
import { U7sError } from '../lib/errors.js';
import type { Settings } from '../settings/schema.js';

/** What every node of a cluster has to know alike. In a ConfigMap of the cluster: config/manifests/nodes/joining.yaml. */
const factsSchema = z.object({
  podCidr: z.string(),
  serviceCidr: z.string(),
  dnsAddress: z.string(),
  dnsDomain: z.string(),
  flannelPort: z.int(),
  mtu: z.int(),
});
export type ClusterFacts = z.output<typeof factsSchema>;

export function factsOf(settings: Settings): ClusterFacts {
  const { podCidr, serviceCidr, dnsAddress, dnsDomain, flannelPort, mtu } = settings;
  return { podCidr, serviceCidr, dnsAddress, dnsDomain, flannelPort, mtu };
}

const path = '/api/v1/namespaces/kube-system/configmaps/usernetes';

/** Asked with the token, so that this is where it shows whether that is good. */
export async function readFacts(client: KubeClient, signal: AbortSignal): Promise<ClusterFacts> {
  try {
    const { data } = await client.get<{ data: Record<string, string> }>(path, { signal });
    return factsSchema.parse(JSON.parse(data['cluster.json'] ?? ''));
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    switch (error.status) {
      case 401:
        throw new U7sError(
          'todo',
          'the control plane does not know the token: it has expired, was revoked or has been used',
          {
            fixes: ['get another, on the control plane: u7s join-command'],
            cause: error,
          },
        );
      case 403:
      case 404:
        throw new U7sError('todo', 'the control plane does not take nodes in', {
          fixes: ['on it: u7s down; u7s up -d --host-ip ADDRESS; u7s join-command'],
          cause: error,
        });
      default:
        throw error;
    }
  }
}
