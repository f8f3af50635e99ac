import { applyAddons } from '../kube/addons.js';
import type { KubeClient } from '../kube/client.js';
import { withClient, type ApiAccess } from '../kube/connect.js';
import { unlessMissing } from '../kube/errors.js';
import { objectPath, type KubeObject } from '../kube/object.js';
import type { MetricsPlan } from '../plan/types.js';
import type { Worker, WorkerContext } from './worker.js';

/** As much of an APIService as matters here. */
type ApiService = KubeObject & { spec: { service?: { name: string } } };

/**
 * Tells the API server who serves metrics.k8s.io, or that nobody does any more; after the node is up, because nobody waits
 * for it. An API that another server in the cluster serves is left alone.
 */
export function metricsApi(plan: MetricsPlan, api: ApiAccess): Worker {
  return {
    name: 'metrics API',
    stage: 'up',
    run: (context, signal) => withClient(api, (client) => settle(client, plan, context, signal)),
  };
}

async function settle(
  client: KubeClient,
  { wanted, objects }: MetricsPlan,
  { since, report }: WorkerContext,
  signal: AbortSignal,
): Promise<void> {
  const registration = objects.find(isApiService);
  if (registration === undefined) return;
  const path = objectPath(registration);
  const present = await client.get<ApiService>(path, { signal }).catch(unlessMissing);
  const isOurs = present?.spec.service?.name === registration.spec.service?.name;
  if (present !== undefined && !isOurs) {
    if (!wanted) return;
    const text = 'another server in the cluster serves metrics.k8s.io, and goes on to do so';
    report({ kind: 'note', text });
  } else if (wanted) {
    const changed = objects.map((object) => (isApiService(object) ? marked(object, since) : object));
    await applyAddons(client, changed, signal);
  } else if (present !== undefined) {
    await client.request('DELETE', path, { signal });
  }
}

const isApiService = (object: KubeObject): object is ApiService => object.kind === 'APIService';

/** After a start the API server has found nobody there, and looks again only after a while; at once if the object changes. */
function marked(object: ApiService, since: Date): ApiService {
  const annotations = { 'usernetes/since': since.toISOString() };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
