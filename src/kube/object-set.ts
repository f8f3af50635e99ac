import type { KubeClient } from './client.js';
import { KubeError, unlessMissing } from './errors.js';
import type { KubeObject } from './object.js';
import { keyOf, refOf, type ObjectRef, type Resources } from './resources.js';

/**
 * Objects that were applied together. A ConfigMap of the cluster lists them, so that what is no longer wanted can be removed
 * later, by whomever.
 */
export type Member = ObjectRef & {
  /** The file that it came from. */
  from?: string;
};

export type SetFault = { object: KubeObject; error: unknown };

const namespace = 'kube-system';
const collection = `/api/v1/namespaces/${namespace}/configmaps`;
const label = 'usernetes/set';
const configMapOf = (set: string): string => `usernetes-set-${set}`;

type SetRecord = KubeObject & { data?: { members?: string; note?: string } };

export type RecordedSet = { members: Member[]; note?: string };

export async function readSet(
  client: KubeClient,
  set: string,
  signal: AbortSignal,
): Promise<RecordedSet | undefined> {
  const path = `${collection}/${configMapOf(set)}`;
  const found = await client.get<SetRecord>(path, { signal }).catch(unlessMissing);
  if (found === undefined) return undefined;
  const { members = '[]', note } = found.data ?? {};
  return { members: JSON.parse(members) as Member[], ...(note === undefined ? {} : { note }) };
}

/** The names of all sets that the cluster has. */
export async function setNames(client: KubeClient, signal: AbortSignal): Promise<string[]> {
  const { items } = await client.get<{ items: KubeObject[] }>(`${collection}?labelSelector=${label}`, {
    signal,
  });
  return items.map(({ metadata }) => metadata.name.slice(configMapOf('').length));
}

/** Recorded before objects are made as well as after: what is made by half is removed, too. */
export async function writeSet(
  client: KubeClient,
  set: string,
  { members, note }: RecordedSet,
  signal: AbortSignal,
): Promise<KubeObject> {
  return client.apply<KubeObject>(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: configMapOf(set), namespace, labels: { [label]: set } },
      data: { members: JSON.stringify(members), ...(note === undefined ? {} : { note }) },
    },
    { fieldManager: 'usernetes', signal },
  );
}

export async function forgetSet(client: KubeClient, set: string, signal: AbortSignal): Promise<void> {
  await client.request('DELETE', `${collection}/${configMapOf(set)}`, { signal }).catch(unlessMissing);
}

/** Earlier ones are applied first, since later ones need them: namespaces, definitions, what pods read, the rest. */
const order = [
  new Set(['Namespace', 'CustomResourceDefinition', 'PriorityClass', 'StorageClass']),
  new Set([
    'ServiceAccount',
    'Secret',
    'ConfigMap',
    'ClusterRole',
    'ClusterRoleBinding',
    'Role',
    'RoleBinding',
  ]),
];

const waveOf = ({ kind }: Pick<ObjectRef, 'kind'>): number => {
  const wave = order.findIndex((kinds) => kinds.has(kind));
  return wave === -1 ? order.length : wave;
};

/** Applies each object once, wave by wave; one that is refused does not keep the others. Returns what was refused, and why. */
export async function applySet(
  client: KubeClient,
  resources: Resources,
  objects: readonly KubeObject[],
  { fieldManager, signal }: { fieldManager: string; signal: AbortSignal },
): Promise<SetFault[]> {
  const faults: SetFault[] = [];
  for (let wave = 0; wave <= order.length; wave++) {
    await Promise.all(
      objects
        .filter((object) => waveOf(object) === wave)
        .map(async (object) => {
          try {
            const path = await resources.pathOf(refOf(object), signal);
            await client.apply(object, { path, fieldManager, signal });
          } catch (error) {
            signal.throwIfAborted();
            faults.push({ object, error });
          }
        }),
    );
  }
  return faults;
}

/** Deletes the objects, those first that need others, and waits until they are gone. */
export async function removeMembers(
  client: KubeClient,
  resources: Resources,
  members: readonly ObjectRef[],
  signal: AbortSignal,
): Promise<void> {
  for (let wave = order.length; wave >= 0; wave--) {
    const now = members.filter((member) => waveOf(member) === wave);
    await Promise.all(now.map((member) => remove(client, resources, member, signal)));
  }
}

async function remove(
  client: KubeClient,
  resources: Resources,
  member: ObjectRef,
  signal: AbortSignal,
): Promise<void> {
  let path: string;
  try {
    path = await resources.pathOf(member, signal);
  } catch {
    signal.throwIfAborted();
    return; // with its kind, the object has gone
  }
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Foreground' };
  await client.request('DELETE', path, { body, signal }).catch(unlessMissing);
  await untilGone(client, path, member.name, signal);
}

/** Returns when the object is no longer there. */
async function untilGone(client: KubeClient, path: string, name: string, signal: AbortSignal): Promise<void> {
  const query = new URLSearchParams({ fieldSelector: `metadata.name=${name}` }).toString();
  const around = `${path.slice(0, path.lastIndexOf('/'))}?${query}`;
  for (;;) {
    signal.throwIfAborted();
    const present = await client.get<KubeObject>(path, { signal }).catch(unlessMissing);
    if (present === undefined) return;
    const resourceVersion = String(present.metadata['resourceVersion']);
    try {
      const events = client.watch<KubeObject>(around, { resourceVersion, timeoutSeconds: 30, signal });
      for await (const { type } of events) if (type === 'DELETED') return;
    } catch (error) {
      if (!(error instanceof KubeError) || error.status === 403) throw error;
      if (error.status === 404) return; // the definition of its kind has gone
    }
  }
}

/** Those of `before` that are not among `now`. */
export function withoutMembers<Ref extends ObjectRef>(
  before: readonly Ref[],
  now: readonly ObjectRef[],
): Ref[] {
  const kept = new Set(now.map(keyOf));
  return before.filter((ref) => !kept.has(keyOf(ref)));
}
