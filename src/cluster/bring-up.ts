import { readFile } from 'node:fs/promises';
import { applyAddons } from '../kube/addons.js';
import { createKubeClient, type KubeClient } from '../kube/client.js';
import { waitForDeploymentAvailable, waitForNodeReady } from '../kube/wait.js';
import { step, type Report } from '../lib/events.js';
import type { ApiAccess, KubernetesPlan } from './protocol.js';

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
        waitForNodeReady(client, plan.nodeName, signal, since),
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
    await waitForDeploymentAvailable(client, 'kube-system', 'coredns', signal, since, nodeName);
  });
}

/** A client with the identity whose files are named. */
export async function connect(api: ApiAccess): Promise<KubeClient> {
  const [ca, cert, key] = await Promise.all(
    [api.caFile, api.certFile, api.keyFile].map((file) => readFile(file, 'utf8')),
  );
  return createKubeClient({ server: api.server, ca: ca ?? '', cert: cert ?? '', key: key ?? '' });
}
