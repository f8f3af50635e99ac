import { retired } from '../addons/retired.js';
import { applyAddons, removeObjects } from '../kube/addons.js';
import type { KubeClient } from '../kube/client.js';
import { withClient } from '../kube/connect.js';
import { keepsPodsAway, pressureFixes, pressureText, type Pressure } from '../kube/pressure.js';
import { waitForDeploymentAvailable, waitForNodeReady, waitForPressure } from '../kube/wait.js';
import { codeOf, messageOf, U7sError } from '../lib/errors.js';
import { step, warningOf, type Report } from '../lib/events.js';
import { u7s } from '../lib/fixes.js';
import type { KubernetesPlan } from '../plan/types.js';
import type { Worker, WorkerContext } from './worker.js';

/** From an API that answers to a cluster that works: add-ons applied, node Ready, names resolved. */
export function bringUp(plan: KubernetesPlan): Worker {
  return { name: 'bring-up', stage: 'bring-up', run: (context, signal) => run(plan, context, signal) };
}

async function run(
  plan: KubernetesPlan,
  { since, report }: WorkerContext,
  signal: AbortSignal,
): Promise<void> {
  await withClient(plan.api, (client) =>
    Promise.all([
      step(report, 'node', `node ${plan.nodeName}`, async () => {
        await waitForNodeReady(client, plan.nodeName, since, signal);
        await labelNode(client, plan, signal);
      }),
      ...(plan.role === 'worker'
        ? []
        : [
            dns(client, plan, since, report, signal),
            removeObjects(client, [...retired, ...(plan.addons.gone ?? [])], signal),
          ]),
    ]),
  );
}

/** A kubelet gives labels to a node that it registers; to one that is there already it gives none. */
export async function labelNode(
  client: KubeClient,
  { nodeName, nodeLabels }: Pick<KubernetesPlan, 'nodeName' | 'nodeLabels'>,
  signal: AbortSignal,
): Promise<void> {
  if (Object.keys(nodeLabels).length === 0) return;
  await client.request('PATCH', `/api/v1/nodes/${encodeURIComponent(nodeName)}`, {
    contentType: 'application/merge-patch+json',
    body: { metadata: { labels: nodeLabels } },
    signal,
    timeoutMs: Infinity,
  });
}

async function dns(
  client: KubeClient,
  { addons, nodeName }: KubernetesPlan,
  since: Date,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  await step(report, 'dns', 'cluster DNS', async () => {
    await applyAddons(client, addons.first, signal);
    await Promise.all([
      unlessPressed(client, nodeName, since, signal, (until) =>
        waitForDeploymentAvailable(client, 'kube-system', 'coredns', { since, node: nodeName }, until),
      ).catch((error: unknown) => unlessCrashing(error, report)),
      applyAddons(client, addons.later, signal),
    ]);
  });
}

/** It reads what users write: only in a cluster that runs can they correct it. */
function unlessCrashing(error: unknown, report: Report): void {
  if (codeOf(error) !== 'pod-crashes') throw error;
  const fixes = [
    'correct the ConfigMaps coredns and coredns-custom in the namespace kube-system',
    u7s(['kubectl', '-n', 'kube-system', 'logs', 'deployment/coredns'], { text: 'read its log' }),
  ];
  report({ ...warningOf(error, `names are not resolved in pods: ${messageOf(error)}`), fixes });
}

/** Does not wait for pods that cannot be scheduled, since the node is short of something. */
export async function unlessPressed<T>(
  client: KubeClient,
  nodeName: string,
  since: Date,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const pressed = waitForPressure(client, nodeName, keepsPodsAway, since, until).then((pressure) => {
    throw underPressure(nodeName, pressure);
  });
  try {
    return await Promise.race([work(until), pressed]);
  } finally {
    over.abort();
    pressed.catch(() => undefined);
  }
}

function underPressure(nodeName: string, pressure: Pressure): U7sError {
  return new U7sError('node-pressure', `node ${nodeName} is under ${pressureText(pressure)}`, {
    fixes: pressureFixes(pressure),
  });
}
