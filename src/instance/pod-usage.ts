import type { InstanceStatus } from '../launcher/status.js';
import { withClient } from '../kube/connect.js';
import { identityFiles } from '../pki/identity.js';
import type { InstanceContext } from './context.js';

export type PodUsage = {
  namespace: string;
  name: string;
  /** Thousandths of a processor. */
  cpu: number;
  /** Bytes. */
  memory: number;
};

type PodMetrics = {
  metadata: { namespace: string; name: string };
  containers: { usage: { cpu: string; memory: string } }[];
};

const limitMs = 2_000;

/** What each pod of the cluster uses, the busiest first; undefined where that cannot be known: on a worker, or too early. */
export async function podUsage(
  { paths, signal }: Pick<InstanceContext, 'paths' | 'signal'>,
  { apiServer, role }: Pick<InstanceStatus, 'apiServer' | 'role'>,
): Promise<PodUsage[] | undefined> {
  if (apiServer === undefined || role !== 'control-plane') return undefined;
  try {
    const path = '/apis/metrics.k8s.io/v1beta1/pods';
    const { items } = await withClient(
      { server: apiServer, ...identityFiles(paths.pki, 'admin') },
      (client) => client.get<{ items: PodMetrics[] }>(path, { signal, timeoutMs: limitMs }),
    );
    return items.map(usageOf).sort((a, b) => b.cpu - a.cpu || b.memory - a.memory);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

function usageOf({ metadata: { namespace, name }, containers }: PodMetrics): PodUsage {
  const sum = (unit: 'cpu' | 'memory'): number =>
    containers.reduce((total, { usage }) => total + quantity(usage[unit]), 0);
  return { namespace, name, cpu: Math.round(sum('cpu') * 1_000), memory: sum('memory') };
}

const factors: Readonly<Record<string, number>> = {
  ...{ n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9 },
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 },
};

/** A quantity of Kubernetes, such as `250m` or `64Mi`; NaN for what is none. */
export function quantity(text: string): number {
  const [, number, unit = ''] = /^([\d.]+)([a-zA-Z]*)$/.exec(text) ?? [];
  return Number(number) * (factors[unit] ?? NaN);
}
