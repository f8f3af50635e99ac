import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pRetry from 'p-retry';
import { messageOf, U7sError } from '../lib/errors.js';
import type { KubeClient } from './client.js';
import { KubeError, unlessMissing } from './errors.js';
import { collectionPath, objectPath, type KubeObject } from './object.js';
import { isTransient, waitForObject } from './wait.js';

/** Owner of the fields that we apply, as `kubectl get -o yaml --show-managed-fields` shows it. */
const fieldManager = 'usernetes';

const workloads = new Set(['DaemonSet', 'Deployment', 'Job', 'StatefulSet']);

/** Reads every `*.yaml` of a folder, in the order of their names, and replaces each `${NAME}` by `values.NAME`. */
export async function loadAddons(
  manifestDir: string,
  values: Readonly<Record<string, string>>,
): Promise<KubeObject[]> {
  const { parseAllDocuments } = await import('yaml');
  const files = (await readdir(manifestDir)).filter((file) => file.endsWith('.yaml')).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(manifestDir, file), 'utf8')));
  return files.flatMap((file, index) => {
    const path = join(manifestDir, file);
    return [...parseAllDocuments(substitute(path, texts[index] ?? '', values))].flatMap((document) => {
      const fault = document.errors[0];
      if (fault !== undefined)
        throw new U7sError('manifest-invalid', `${path} is not YAML: ${messageOf(fault)}`);
      const object: unknown = document.toJS();
      if (object === null) return []; // only comments
      if (!isKubeObject(object)) {
        throw new U7sError(
          'manifest-invalid',
          `${path} has a document without apiVersion, kind or metadata.name`,
        );
      }
      return [object];
    });
  });
}

/**
 * Applies the objects to a cluster, all at once, but workloads last: a Pod that is made before its ServiceAccount or its
 * ConfigMap starts only after a back-off.
 */
export async function applyAddons(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  // The API server makes its own namespaces shortly after it reports that it is ready.
  const namespaces = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
  await Promise.all(
    [...namespaces].map((name) => waitForObject(client, '/api/v1/namespaces', name, () => true, signal)),
  );
  const isWorkload = ({ kind }: KubeObject): boolean => workloads.has(kind);
  await applyAll(
    client,
    objects.filter((object) => !isWorkload(object)),
    signal,
  );
  await applyAll(client, objects.filter(isWorkload), signal);
}

async function applyAll(client: KubeClient, objects: KubeObject[], signal: AbortSignal): Promise<void> {
  await Promise.all(objects.map((object) => persist((options) => applyOne(client, object, options), signal)));
}

/** Deletes those of the objects that are there. */
export async function removeObjects(
  client: KubeClient,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    objects.map((object) =>
      persist((options) => client.request('DELETE', objectPath(object), options), signal).catch(
        unlessMissing,
      ),
    ),
  );
}

type Patience = { signal: AbortSignal; timeoutMs: number };

/** A slow machine takes its time: only `signal` ends the wait for an answer. */
function persist<T>(attempt: (options: Patience) => Promise<T>, signal: AbortSignal): Promise<T> {
  return pRetry(() => attempt({ signal, timeoutMs: Infinity }), {
    signal,
    retries: 8,
    minTimeout: 50,
    maxTimeout: 1000,
    shouldRetry: ({ error }) => isTransient(error),
  });
}

/** Of an object that people edit: `keep` leaves it as it is once somebody else has set what we would. */
const editsAnnotation = 'usernetes/edits';

async function applyOne(client: KubeClient, object: KubeObject, options: Patience): Promise<void> {
  const keepsEdits = object.metadata.annotations?.[editsAnnotation] === 'keep';
  if (object.kind === 'StorageClass') await unlessConflict(create(client, object, options));
  else if (keepsEdits) await unlessConflict(client.apply(object, { fieldManager, force: false, ...options }));
  else await client.apply(object, { fieldManager, ...options });
}

/** A class is the administrator's once it is there; what makes it up can never be changed. */
function create(client: KubeClient, object: KubeObject, options: Patience): Promise<unknown> {
  return client.request('POST', `${collectionPath(object)}?fieldManager=${fieldManager}`, {
    body: object,
    ...options,
  });
}

async function unlessConflict(attempt: Promise<unknown>): Promise<void> {
  try {
    await attempt;
  } catch (error) {
    if (!(error instanceof KubeError) || error.status !== 409) throw error;
  }
}

function substitute(path: string, text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)\}/g, (placeholder, name: string) => {
    const value = values[name];
    if (value === undefined)
      throw new U7sError('manifest-invalid', `${path} has an unknown placeholder: ${placeholder}`);
    return value;
  });
}

function isKubeObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null) return false;
  if (!('apiVersion' in value) || !('kind' in value) || !('metadata' in value)) return false;
  const { apiVersion, kind, metadata } = value;
  return (
    typeof apiVersion === 'string' &&
    typeof kind === 'string' &&
    typeof metadata === 'object' &&
    metadata !== null &&
    'name' in metadata
  );
}
