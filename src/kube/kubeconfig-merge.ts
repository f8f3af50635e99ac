import { access, mkdir, readFile, readlink } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import type * as YamlModule from 'yaml';
import type { Document, YAMLMap, YAMLSeq } from 'yaml';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';
import { withFileLock } from './file-lock.js';
import { kubeconfigEntries, type KubeconfigInput } from './kubeconfig.js';

type Yaml = typeof YamlModule;

/**
 * Where kubectl looks: the file that was asked for, else those in `$KUBECONFIG`, else `~/.kube/config`. As with kind, the
 * first one that exists is changed; if there is none, the last one is made.
 */
export function kubeconfigCandidates(from: {
  explicit?: string | undefined;
  /** Value of `$KUBECONFIG`. */
  env?: string | undefined;
  home: string;
}): string[] {
  if (from.explicit) return [from.explicit];
  const listed = [...new Set((from.env ?? '').split(delimiter).filter((path) => path !== ''))];
  return listed.length > 0 ? listed : [join(from.home, '.kube', 'config')];
}

/**
 * Adds a cluster, its user and a context, all called `input.name`, to the user's kubeconfig and makes the context the
 * current one. Everything else in the file stays, comments too. Returns the file. Throws a `U7sError`, and
 * leaves the file as it is, when it cannot be understood.
 */
export async function mergeIntoKubeconfig(
  candidates: readonly string[],
  input: KubeconfigInput,
  signal: AbortSignal,
): Promise<string> {
  const path = await firstExisting(candidates);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const { cluster, user } = kubeconfigEntries(input);
  const { name } = input;
  await edit(path, signal, (config, yaml) => {
    put(config, yaml, 'clusters', name).set('cluster', config.createNode(cluster));
    put(config, yaml, 'users', name).set('user', config.createNode(user));
    const context = put(config, yaml, 'contexts', name);
    // Kept when it is there, because it may carry the namespace that the user works in.
    if (!yaml.isMap(context.get('context'))) context.set('context', config.createNode({}));
    context.setIn(['context', 'cluster'], name);
    context.setIn(['context', 'user'], name);
    config.set('current-context', name);
    return true;
  });
  return path;
}

/** Puts another certificate into the files that have a user called `input.name`, and changes nothing else of them. */
export async function replaceInKubeconfigs(
  candidates: readonly string[],
  input: KubeconfigInput,
  signal: AbortSignal,
): Promise<void> {
  const { user } = kubeconfigEntries(input);
  for (const path of candidates) {
    if (!(await exists(path))) continue;
    await edit(path, signal, (config, yaml) => {
      const users = config.get('users');
      const present = yaml.isSeq<YAMLMap>(users)
        ? users.items.find((item) => item.get('name') === input.name)
        : undefined;
      present?.set('user', config.createNode(user));
      return present !== undefined;
    });
  }
}

/**
 * Takes the cluster, user and context called `name` out of every candidate that has them, and clears the current
 * context where it was this one. Returns the files that changed.
 */
export async function removeFromKubeconfig(
  candidates: readonly string[],
  name: string,
  signal: AbortSignal,
): Promise<string[]> {
  const changed: string[] = [];
  for (const path of candidates) {
    if (!(await exists(path))) continue;
    const touched = await edit(path, signal, (config, yaml) => {
      const removed = ['clusters', 'users', 'contexts'].map((list) => take(config, yaml, list, name));
      const wasCurrent = config.get('current-context') === name;
      if (wasCurrent) config.delete('current-context');
      return wasCurrent || removed.includes(true);
    });
    if (touched) changed.push(path);
  }
  return changed;
}

/** Changes `path` under kubectl's lock; `change` returns whether there is something to write. */
async function edit(
  path: string,
  signal: AbortSignal,
  change: (config: Document, yaml: Yaml) => boolean,
): Promise<boolean> {
  const yaml = await import('yaml');
  return withFileLock(`${path}.lock`, signal, async () => {
    const target = await followLinks(path);
    const config = parse(path, (await exists(target)) ? await readFile(target, 'utf8') : '', yaml);
    if (!change(config, yaml)) return false;
    await writeFileAtomic(target, config.toString({ lineWidth: 0 }));
    return true;
  });
}

function parse(path: string, text: string, yaml: Yaml): Document {
  const config: Document = yaml.parseDocument(text, { intAsBigInt: true });
  const fault = config.errors[0];
  if (fault !== undefined) throw notUnderstood(path, messageOf(fault).split('\n')[0] ?? '');
  if (config.contents === null || (yaml.isScalar(config.contents) && config.contents.value === null)) {
    config.contents = config.createNode({ apiVersion: 'v1', kind: 'Config' });
  }
  if (!yaml.isMap(config.contents)) throw notUnderstood(path, 'it is not a map');
  for (const list of ['clusters', 'users', 'contexts']) {
    const entries = config.get(list);
    if (entries == null) continue; // kubectl writes null for an empty list
    if (!yaml.isSeq(entries) || !entries.items.every((item) => yaml.isMap(item))) {
      throw notUnderstood(path, `${list} is not a list of maps`);
    }
  }
  return config;
}

/** The entry called `name` in `list`, made at the end when there is none. */
function put(config: Document, yaml: Yaml, list: string, name: string): YAMLMap {
  if (!yaml.isSeq(config.get(list))) config.set(list, config.createNode([]));
  const entries = config.get(list) as YAMLSeq<YAMLMap>;
  const present = entries.items.find((item) => item.get('name') === name);
  if (present !== undefined) return present;
  const entry = config.createNode({ name }) as YAMLMap;
  entries.flow = false; // an empty list is written [], and would go on in that style
  entries.add(entry);
  return entry;
}

function take(config: Document, yaml: Yaml, list: string, name: string): boolean {
  const entries = config.get(list);
  if (!yaml.isSeq<YAMLMap>(entries)) return false;
  const index = entries.items.findIndex((item) => item.get('name') === name);
  return index >= 0 && entries.delete(index);
}

async function firstExisting(candidates: readonly string[]): Promise<string> {
  for (const path of candidates) {
    if (await exists(path)) return path;
  }
  const last = candidates.at(-1);
  if (last === undefined) throw new Error('no kubeconfig to choose from');
  return last;
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** The file that `path` points to, which need not exist, so that a symbolic link stays one when the file is replaced. */
async function followLinks(path: string, depth = 0): Promise<string> {
  try {
    const next = resolve(dirname(path), await readlink(path));
    if (depth === 40)
      throw new U7sError('too-many-links', `too many symbolic links at ${path}`, { fixes: [`rm ${path}`] });
    return await followLinks(next, depth + 1);
  } catch (error) {
    if (['EINVAL', 'ENOENT'].includes(errnoOf(error) ?? '')) return path;
    throw error;
  }
}

function notUnderstood(path: string, why: string): U7sError {
  return new U7sError('kubeconfig-invalid', `${path} is not a kubeconfig that can be changed: ${why}`, {
    fixes: [`correct it, or move it out of the way: mv ${path} ${path}.broken`],
  });
}
