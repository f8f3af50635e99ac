import { setTimeout as delay } from 'node:timers/promises';
import type { KubeClient } from '../kube/client.js';
import { unlessMissing } from '../kube/errors.js';
import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { membersPath, readMembers, removalChange, type MemberMap } from './members.js';

type Pod = {
  metadata: { name: string; namespace: string; ownerReferences?: { kind: string }[] };
  status?: { phase?: string };
};

/** Pods are given their own time to end, but no more than this. */
const drainLimitMs = 60_000;
const pollMs = 500;

/**
 * Takes a node out of its cluster for good, which only the cluster's administrator can: it is removed, and what it still has
 * of certificates does not bring it back.
 */
export async function expelNode(
  client: KubeClient,
  name: string,
  progress: (detail: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const wasMember = await isMember(client, name, signal);
  await removeNode(client, name, progress, signal, () => recordRemoval(client, name, signal)).catch(
    async (error: unknown) => {
      if (!(error instanceof U7sError && error.code === 'no-such-node' && wasMember)) throw error;
      // It was admitted and has not come, or has left.
      await recordRemoval(client, name, signal);
    },
  );
}

async function isMember(client: KubeClient, name: string, signal: AbortSignal): Promise<boolean> {
  const map = await client.get<MemberMap>(membersPath, { signal }).catch(unlessMissing);
  return map !== undefined && readMembers(map).nodes.has(name);
}

async function recordRemoval(client: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  const options = { contentType: 'application/merge-patch+json', signal };
  // A cluster of one node has no record.
  await client
    .request('PATCH', membersPath, { ...options, body: { data: removalChange(name, Date.now()) } })
    .catch(unlessMissing);
}

/**
 * Takes a node out of its cluster: no pod comes to it any more, those that it has end in order and come back elsewhere, and
 * it is forgotten. Pods of a node that is dead go with it. `progress` hears what it waits for.
 */
export async function removeNode(
  client: KubeClient,
  name: string,
  progress: (detail: string) => void,
  signal: AbortSignal,
  onDrained: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const path = `/api/v1/nodes/${encodeURIComponent(name)}`;
  const node = await client.get<Node>(path, { signal }).catch(unlessMissing);
  if (node === undefined)
    throw new U7sError('no-such-node', `the cluster has no node ${name}`, {
      fixes: [u7s(['kubectl', 'get', 'nodes'], { text: 'see which it has' })],
    });
  await client.request('PATCH', path, {
    contentType: 'application/merge-patch+json',
    body: { spec: { unschedulable: true } },
    signal,
  });
  const isAlive = node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  if (isAlive) await drain(client, name, progress, signal);
  await onDrained();
  // Its kubelet may register it again until everyone has heard that it must not.
  for (let again = true; again; again = await exists(client, path, signal))
    await client.request('DELETE', path, { signal }).catch(unlessMissing);
}

async function exists(client: KubeClient, path: string, signal: AbortSignal): Promise<boolean> {
  return (await client.get<Node>(path, { signal }).catch(unlessMissing)) !== undefined;
}

type Node = { status?: { conditions?: { type: string; status: string }[] } };

async function drain(
  client: KubeClient,
  node: string,
  progress: (detail: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const query = new URLSearchParams({ fieldSelector: `spec.nodeName=${node}` });
  const end = performance.now() + drainLimitMs;
  const asked = new Set<string>();
  for (;;) {
    const { items } = await client.get<{ items: Pod[] }>(`/api/v1/pods?${query.toString()}`, { signal });
    // A DaemonSet would make them again at once.
    const pods = items.filter(
      ({ metadata }) =>
        !metadata.ownerReferences?.some(({ kind }) => kind === 'DaemonSet' || kind === 'Node'),
    );
    if (pods.length === 0 || performance.now() > end) return;
    progress(`waiting for ${pods.map(({ metadata }) => metadata.name).join(', ')}`);
    for (const { metadata } of pods) {
      const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
      if (asked.has(path)) continue;
      asked.add(path);
      await client.request('DELETE', path, { signal }).catch(unlessMissing);
    }
    await delay(pollMs, undefined, { signal });
  }
}

/** The control plane cannot be taken out of its own cluster. */
export function requireOther(name: string, own: string | undefined): void {
  if (name !== own) return;
  throw new U7sError('own-node', `${name} is the control plane itself`, {
    fixes: [u7s(['cleanup'], { text: 'to remove the whole cluster' })],
  });
}
