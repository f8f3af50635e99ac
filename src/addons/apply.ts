import { readFile } from 'node:fs/promises';
import pRetry from 'p-retry';
import type { KubeClient } from '../kube/client.js';
import { KubeError, unlessMissing } from '../kube/errors.js';
import type { KubeObject } from '../kube/object.js';
import { applySet, forgetSet, readSet, removeMembers, withoutMembers, writeSet } from '../kube/object-set.js';
import { createResources, refOf, type ObjectRef, type Resources } from '../kube/resources.js';
import { isTransient, waitForDeploymentAvailable } from '../kube/wait.js';
import { codeOf } from '../lib/errors.js';
import type { AddonPlan } from '../plan/types.js';
import type { AddonName } from '../settings/addon-names.js';
import { addons } from './table.js';

const fieldManager = 'usernetes';
export const addonLabel = 'usernetes/addon';
const prefix = 'addon-';

/** The add-ons that the cluster has objects of. */
export function addonOfSet(set: string): string | undefined {
  return set.startsWith(prefix) ? set.slice(prefix.length) : undefined;
}

/** Applies an add-on, and removes what an earlier version of it made and this one does not. */
export async function applyAddon(
  client: KubeClient,
  { name, objects, definitions }: AddonPlan,
  signal: AbortSignal,
): Promise<void> {
  const resources = createResources(client);
  const set = `${prefix}${name}`;
  const before = (await readSet(client, set, signal))?.members ?? [];
  const kinds = await ownDefinitions(client, name, definitions, signal);
  const wanted = [...kinds, ...objects].map((object) => marked(object, name));
  const members = wanted.map(refOf);
  const gone = withoutMembers(before, members);
  await writeSet(client, set, { members: [...gone, ...members] }, signal);
  await settle(client, resources, wanted, signal);
  await removeMembers(client, resources, gone, signal);
  if (gone.length > 0) await writeSet(client, set, { members }, signal);
}

/** Returns when an add-on that has been applied works. */
export async function waitForAddon(
  client: KubeClient,
  { name, nodeName }: Pick<AddonPlan, 'name' | 'nodeName'>,
  since: Date,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, deployment } = addons[name];
  await waitForDeploymentAvailable(client, namespace, deployment, { since, node: nodeName }, signal);
}

/**
 * Removes what an add-on has made. Definitions of which there are objects stay, or these would be lost with them: returns
 * their names.
 */
export async function removeAddon(client: KubeClient, name: string, signal: AbortSignal): Promise<string[]> {
  const resources = createResources(client);
  const set = `${prefix}${name}`;
  const members = (await readSet(client, set, signal))?.members ?? [];
  const definitions = members.filter(isDefinition);
  // The add-on's own objects of these kinds go first, and do not count.
  await removeMembers(
    client,
    resources,
    members.filter((member) => !isDefinition(member)),
    signal,
  );
  const inUse = await Promise.all(definitions.map((definition) => isUsed(client, definition, signal)));
  const kept = definitions.filter((_, index) => inUse[index]);
  await removeMembers(client, resources, withoutMembers(definitions, kept), signal);
  for (const { name } of kept) await unmark(client, name, signal);
  await forgetSet(client, set, signal);
  return kept.map((definition) => definition.name);
}

/** Says that definitions have stayed. */
export function keptText(addon: string, definitions: readonly string[]): string {
  return `the definitions ${definitions.join(', ')} stay without the add-on ${addon}, since there are objects of these kinds`;
}

const isDefinition = ({ kind }: ObjectRef): boolean => kind === 'CustomResourceDefinition';

type Definition = KubeObject & {
  spec: { group: string; names: { plural: string }; versions: { name: string; served: boolean }[] };
};

const definitionPath = (name: string): string =>
  `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`;

async function isUsed(client: KubeClient, { name }: ObjectRef, signal: AbortSignal): Promise<boolean> {
  const definition = await client.get<Definition>(definitionPath(name), { signal }).catch(unlessMissing);
  if (definition === undefined) return false;
  const { group, names, versions } = definition.spec;
  const served = versions.find((version) => version.served)?.name ?? 'v1';
  const path = `/apis/${group}/${served}/${names.plural}?limit=1`;
  return (await client.get<{ items: unknown[] }>(path, { signal })).items.length > 0;
}

/** What stays is no longer the add-on's. */
async function unmark(client: KubeClient, name: string, signal: AbortSignal): Promise<void> {
  await client.request('PATCH', definitionPath(name), {
    contentType: 'application/merge-patch+json',
    body: { metadata: { labels: { [addonLabel]: null } } },
    signal,
  });
}

/** Those that the cluster lacks, or has from us: whoever brought others decides about them. */
async function ownDefinitions(
  client: KubeClient,
  name: AddonName,
  file: string,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const all = JSON.parse(await readFile(file, 'utf8')) as KubeObject[];
  const { items } = await client.get<{ items: KubeObject[] }>(
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    { signal },
  );
  const foreign = new Set(
    items
      .filter(({ metadata }) => (metadata['labels'] as Labels)?.[addonLabel] !== name)
      .map(({ metadata }) => metadata.name),
  );
  return all.filter(({ metadata }) => !foreign.has(metadata.name));
}

type Labels = Record<string, string> | undefined;

function marked(object: KubeObject, name: string): KubeObject {
  const { metadata } = object;
  const labels = { ...(metadata['labels'] as Labels), [addonLabel]: name };
  return { ...object, metadata: { ...metadata, labels } };
}

/** A kind is served only a moment after its definition is there, as is a new namespace's account. */
async function settle(
  client: KubeClient,
  resources: Resources,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  let left = objects;
  await pRetry(
    async () => {
      const faults = await applySet(client, resources, left, { fieldManager, signal });
      left = faults.map(({ object }) => object);
      const worst = faults.find(({ error }) => !passes(error)) ?? faults[0];
      if (worst !== undefined) throw worst.error;
    },
    { signal, retries: 30, minTimeout: 100, maxTimeout: 1_000, shouldRetry: ({ error }) => passes(error) },
  );
}

const passes = (error: unknown): boolean =>
  isTransient(error) ||
  codeOf(error) === 'kind-unknown' ||
  (error instanceof KubeError && error.status === 404);
