import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf, U7sError } from '../lib/errors.js';
import type { KubeClient } from './client.js';
import { KubeError } from './errors.js';
import { pressures, type NodeCondition, type Pressure } from './pressure.js';
import type { KubeObject } from './object.js';

type Condition = NodeCondition;
type Node = KubeObject & { status?: { conditions?: Condition[] } };
type Deployment = KubeObject & {
  spec: { replicas: number; selector: { matchLabels: Record<string, string> } };
};
type Pod = KubeObject & {
  spec: { nodeName?: string };
  status?: {
    conditions?: Condition[];
    containerStatuses?: ContainerStatus[];
  };
};
type ContainerStatus = {
  state?: { running?: { startedAt: string }; waiting?: { reason?: string } };
  lastState?: { terminated?: { finishedAt?: string; message?: string } };
};

/** Milliseconds before a failed connection is tried again, while the API server restarts. */
const reconnectMs = 200;

/**
 * Returns when the node's kubelet has reported, after `since`, that the node is Ready. After a restart the API still shows
 * what was true before the stop, until the kubelet has reported again.
 */
export async function waitForNodeReady(
  client: KubeClient,
  nodeName: string,
  since: Date,
  signal: AbortSignal,
): Promise<void> {
  const isReady = ({ status }: Node): boolean => {
    const ready = readyCondition(status?.conditions);
    return ready !== undefined && isSince(ready.lastHeartbeatTime, since);
  };
  await waitForObject<Node>(client, '/api/v1/nodes', nodeName, isReady, signal);
}

/** Returns what the node is short of, once its kubelet has reported since `since` something that `counts`. */
export async function waitForPressure(
  client: KubeClient,
  nodeName: string,
  counts: (pressure: Pressure) => boolean,
  since: Date,
  signal: AbortSignal,
): Promise<Pressure> {
  const found = ({ status }: Node): Pressure | undefined =>
    pressures(status?.conditions?.filter(({ lastHeartbeatTime }) => isSince(lastHeartbeatTime, since))).find(
      counts,
    );
  const fits = (node: Node): boolean => found(node) !== undefined;
  return found(await waitForObject<Node>(client, '/api/v1/nodes', nodeName, fits, signal)) as Pressure;
}

/**
 * Returns when as many pods as the Deployment wants are Ready. Those of `node` count if their containers were started after
 * `since`; those of other nodes have gone on running. Fails when one of them crashes again and again.
 */
export async function waitForDeploymentAvailable(
  client: KubeClient,
  namespace: string,
  name: string,
  { since, node }: { since: Date; node: string },
  signal: AbortSignal,
): Promise<void> {
  const deployments = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/deployments`;
  const { spec } = await waitForObject<Deployment>(client, deployments, name, () => true, signal);
  const labels = Object.entries(spec.selector.matchLabels).map(([key, value]) => `${key}=${value}`);
  const query = new URLSearchParams({ labelSelector: labels.join(',') });
  const isReady = ({ spec: { nodeName }, status }: Pod): boolean =>
    readyCondition(status?.conditions) !== undefined &&
    (nodeName !== node ||
      (status?.containerStatuses ?? []).every(({ state }) => isSince(state?.running?.startedAt, since)));
  await watchUntil<Pod>(
    client,
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods?${query.toString()}`,
    (pods) => {
      const crash = pods.map((pod) => lastCrash(pod, since)).find((words) => words !== undefined);
      if (crash !== undefined) throw new U7sError('pod-crashes', `${name} crashes: ${crash}`);
      return pods.filter(isReady).length >= spec.replicas ? true : undefined;
    },
    signal,
  );
}

/** What a container said last that Kubernetes starts only now and then, since it has crashed since `since`. */
function lastCrash({ status }: Pod, since: Date): string | undefined {
  const crashed = status?.containerStatuses?.find(
    ({ state, lastState }) =>
      state?.waiting?.reason === 'CrashLoopBackOff' && isSince(lastState?.terminated?.finishedAt, since),
  );
  if (crashed === undefined) return undefined;
  return crashed.lastState?.terminated?.message?.trim().split('\n').at(-1) ?? 'its log says why';
}

/** Watches the object `name` of a collection until it exists and `fits`, and returns it. */
export async function waitForObject<T extends KubeObject>(
  client: KubeClient,
  collection: string,
  name: string,
  fits: (object: T) => boolean,
  signal: AbortSignal,
): Promise<T> {
  const query = new URLSearchParams({ fieldSelector: `metadata.name=${name}` });
  return watchUntil<T, T>(
    client,
    `${collection}?${query.toString()}`,
    (objects) => objects.find(fits),
    signal,
  );
}

/** Errors while the server restarts, or the host that it runs on. */
const passing = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE'],
  ...['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
]);

/** Whether a request may succeed when it is repeated, since the server is restarting, not ready yet, or overloaded. */
export function isTransient(error: unknown): boolean {
  if (error instanceof KubeError) return error.status >= 500 || [410, 429].includes(error.status);
  return passing.has(errnoOf(error) ?? '');
}

/**
 * Watches a collection until `find` returns something for its present state, and returns that. Survives a restart of the
 * API server: fails only by a refusal or by `signal`.
 */
async function watchUntil<T extends KubeObject, R = true>(
  client: KubeClient,
  path: string,
  find: (present: T[]) => R | undefined,
  signal: AbortSignal,
): Promise<R> {
  for (;;) {
    signal.throwIfAborted();
    // Every watch begins with the present state, so nothing is missed between two watches.
    const present = new Map<string, T>();
    try {
      for await (const { type, object } of client.watch<T>(path, { signal })) {
        if (type === 'DELETED') present.delete(object.metadata.name);
        else present.set(object.metadata.name, object);
        const found = find([...present.values()]);
        if (found !== undefined) return found;
      }
    } catch (error) {
      if (!isTransient(error)) throw error;
      await delay(reconnectMs, undefined, { signal });
    }
  }
}

function readyCondition(conditions: Condition[] = []): Condition | undefined {
  return conditions.find(({ type, status }) => type === 'Ready' && status === 'True');
}

/** Times of the API are truncated to whole seconds. */
function isSince(time: string | undefined, since: Date): boolean {
  return time !== undefined && Date.parse(time) >= Math.floor(since.getTime() / 1000) * 1000;
}
