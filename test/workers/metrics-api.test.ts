import test, { type ExecutionContext } from 'ava';
import type { MetricsPlan } from '#src/plan/types.js';
import { metricsApi } from '#src/workers/metrics-api.js';
import { json, removePki, serveApi } from '../kube/fake-api.js';

test.after.always(removePki);

const registration = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: 'v1beta1.metrics.k8s.io' },
  spec: { service: { namespace: 'kube-system', name: 'metrics' } },
};
const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'a' } };
const path = '/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io';
const since = new Date('2026-01-02T03:04:05Z');

/** What it changes in a cluster in which the API is `served` by the Service of that name. */
async function changes(
  t: ExecutionContext,
  wanted: MetricsPlan['wanted'],
  served?: string,
): Promise<string[]> {
  const asked: string[] = [];
  const api = await serveApi(t, ({ method = '', url = '' }, response, body) => {
    if (method !== 'GET') {
      asked.push(`${method} ${url.replace(/\?.*/, '')}`);
      if (url.startsWith(path) && method === 'PATCH')
        t.regex(body, /"usernetes\/since":"2026-01-02T03:04:05/);
      return json(response, 200, {});
    }
    if (served === undefined) return json(response, 404, { code: 404 });
    json(response, 200, { ...registration, spec: { service: { name: served } } });
  });
  const worker = metricsApi({ wanted, objects: [registration, role] }, api);
  const ports = { publish: () => Promise.resolve([]), list: () => Promise.resolve([]) };
  const context = { since, report: () => undefined, ports } as unknown as Parameters<typeof worker.run>[0];
  await worker.run(context, new AbortController().signal);
  return asked.sort();
}

const applied = ['PATCH /apis/rbac.authorization.k8s.io/v1/clusterroles/a', `PATCH ${path}`].sort();

test('the API is registered, and changed at each start so that the API server looks at once', async (t) => {
  t.deepEqual(await changes(t, true), applied);
  t.deepEqual(await changes(t, true, 'metrics'), applied);
});

test('without metrics the API of an earlier start is removed, or else it would be unavailable for ever', async (t) => {
  t.deepEqual(await changes(t, false), []);
  t.deepEqual(await changes(t, false, 'metrics'), [`DELETE ${path}`]);
});

test("a metrics server of the user's own stays in charge", async (t) => {
  t.deepEqual(await changes(t, true, 'metrics-server'), []);
  t.deepEqual(await changes(t, false, 'metrics-server'), []);
});
