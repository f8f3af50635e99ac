import { applyAddons } from '../kube/addons.js';
import type { KubeClient } from '../kube/client.js';
import { connect } from '../kube/connect.js';
import { waitForDeploymentAvailable, waitForNodeReady } from '../kube/wait.js';
import { step, type Report } from '../lib/events.js';
import type { KubernetesPlan } from '../plan/types.js';

/**
 * From an API that answers to a cluster that works: addons applied, node Ready, names resolved. What the API still tells
 * of before `since` does not count.
 */
export async function bringUp(
  plan: KubernetesPlan,
  since: Date,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const client = await connect(plan.api);
  try {
    await Promise.all([
      step(report, 'node', `node ${plan.nodeName}`, () =>
        waitForNodeReady(client, plan.nodeName, since, signal),
      ),
      ...(plan.role === 'worker' ? [] : [dns(client, plan, since, report, signal)]),
    ]);
  } finally {
    client.close();
  }
}

async function dns(
  client: KubeClient,
  { addons, nodeName }: KubernetesPlan,
  since: Date,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  await step(report, 'dns', 'cluster DNS', async () => {
    await applyAddons(client, addons, signal);
    await waitForDeploymentAvailable(client, 'kube-system', 'coredns', { since, node: nodeName }, signal);
  });
}
