import { applyAddons } from '../kube/addons.js';
import { connect, type ApiAccess } from '../kube/connect.js';
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
  return { name: 'metrics API', stage: 'up', run: (context, signal) => run(plan, api, context, signal) };
}

async function run(
  { wanted, objects }: MetricsPlan,
  api: ApiAccess,
  { since, report }: WorkerContext,
  signal: AbortSignal,
): Promise<void> {
  const client = await connect(api);
  try {
    const registration = objects.find(isApiService);
    if (registration === undefined) return;
    const present = await client.get<ApiService>(objectPath(registration), { signal }).catch(unlessMissing);
    const isOurs = present?.spec.service?.name === registration.spec.service?.name;
    if (present !== undefined && !isOurs) {
      if (!wanted) return;
      report({
        kind: 'note',
        text: 'another server in the cluster serves metrics.k8s.io, and goes on to do so',
      });
    } else if (wanted) {
      const changed = objects.map((object) => (isApiService(object) ? marked(object, since) : object));
      await applyAddons(client, changed, signal);
    } else if (present !== undefined) {
      await client.request('DELETE', objectPath(registration), { signal });
    }
  } finally {
    client.close();
  }
}

const isApiService = (object: KubeObject): object is ApiService => object.kind === 'APIService';

/** After a start the API server has found nobody there, and looks again only after a while; at once if the object changes. */
function marked(object: ApiService, since: Date): ApiService {
  const annotations = { 'usernetes/since': since.toISOString() };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
