import { U7sError } from '../lib/errors.js';
import type { KubeClient } from './client.js';
import { unlessMissing } from './errors.js';
import type { KubeObject } from './object.js';

type Resource = { name: string; kind: string; namespaced: boolean };

/** What names an object in any cluster. */
export type ObjectRef = { apiVersion: string; kind: string; namespace?: string; name: string };

/** Where objects of any kind are in the API, by what the server says of itself. */
export type Resources = {
  /** The path of the object; throws `kind-unknown` for a kind that the server does not serve, or not yet. */
  pathOf(ref: ObjectRef, signal: AbortSignal): Promise<string>;
};

export function createResources(client: KubeClient): Resources {
  const known = new Map<string, readonly Resource[]>();

  async function find(
    { apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>,
    signal: AbortSignal,
  ): Promise<Resource> {
    const among = (resources: readonly Resource[] = []): Resource | undefined =>
      resources.find((each) => each.kind === kind && !each.name.includes('/'));
    const before = among(known.get(apiVersion));
    if (before !== undefined) return before;
    const list = await client
      .get<{ resources: Resource[] }>(rootOf(apiVersion), { signal })
      .catch(unlessMissing);
    if (list !== undefined) known.set(apiVersion, list.resources);
    const found = among(list?.resources);
    if (found !== undefined) return found;
    throw new U7sError('kind-unknown', `the cluster has no kind ${kind} of ${apiVersion}`, {
      fixes: ['apply its CustomResourceDefinition too, or correct apiVersion and kind'],
    });
  }

  return {
    pathOf: async (ref, signal) => {
      const { name, namespaced } = await find(ref, signal);
      const place = namespaced ? `/namespaces/${encodeURIComponent(ref.namespace ?? 'default')}` : '';
      return `${rootOf(ref.apiVersion)}${place}/${name}/${encodeURIComponent(ref.name)}`;
    },
  };
}

export function refOf({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): ObjectRef {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** One text for each object. The version of an API is left out: the same object is served in several. */
export function keyOf({ apiVersion, kind, namespace = '', name }: ObjectRef): string {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  return [group, kind, namespace, name].join(' ');
}

/** How people write it: `Deployment web/nginx`. */
export function nameOf({ kind, namespace, name }: ObjectRef): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function rootOf(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}
