import { setTimeout as delay } from 'node:timers/promises';
import type { KubeClient } from './client.js';
import { KubeError } from './errors.js';

export type MirrorOptions<O, T> = {
  /** Of the collection, selectors included: `/api/v1/pods?fieldSelector=…`. */
  path: string;
  /** What to keep of an object; undefined if it is of no interest. */
  keep: (object: O) => T | undefined;
  /** Called with the state at the beginning and after each change: a map from UIDs to what was kept. */
  onChange: (present: ReadonlyMap<string, T>) => void;
  /** Called with the reason why the API cannot be followed, and with undefined when it can again. */
  onFault: (error: unknown) => void;
  signal: AbortSignal;
};

type Meta = { metadata: { uid: string; resourceVersion: string } };
type List<O> = { metadata: { resourceVersion: string; continue?: string }; items: O[] };

/** Objects in one page of a list, to keep answers small. */
const pageSize = 200;
/** A watch is renewed this often. */
const watchSeconds = 290;
const retryMs = { first: 200, longest: 10_000 };

/**
 * Mirrors a collection of the cluster, as far as `keep` wants it, until `signal` is aborted: lists it, then watches from the
 * list's version on, as client-go's reflectors do. After a failure it starts over, with a growing delay.
 */
export async function mirror<O extends object, T>(
  client: KubeClient,
  options: MirrorOptions<O, T>,
): Promise<void> {
  const { path, keep, onChange, onFault, signal } = options;
  let failures = 0;
  let listedAt = 0;
  while (!signal.aborted) {
    try {
      const present = new Map<string, T>();
      let version = await list(present);
      listedAt = performance.now();
      onFault(undefined);
      onChange(present);
      for (;;) version = await follow(present, version);
    } catch (error) {
      if (signal.aborted) return;
      // The version is too old to go on from, which is normal: list again.
      if (error instanceof KubeError && error.status === 410) continue;
      if (listedAt > 0 && performance.now() - listedAt > retryMs.longest) failures = 0;
      onFault(error);
      const longest = Math.min(retryMs.longest, retryMs.first * 2 ** failures++);
      await delay(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined);
    }
  }

  async function list(present: Map<string, T>): Promise<string> {
    let token: string | undefined;
    for (;;) {
      const query = new URLSearchParams({ limit: String(pageSize), ...(token ? { continue: token } : {}) });
      const separator = path.includes('?') ? '&' : '?';
      const page = await client.get<List<O & Meta>>(`${path}${separator}${query.toString()}`, { signal });
      for (const object of page.items) note(present, object);
      token = page.metadata.continue;
      if (!token) return page.metadata.resourceVersion;
    }
  }

  /** One watch, until it ends regularly; returns the version to go on from. */
  async function follow(present: Map<string, T>, from: string): Promise<string> {
    let version = from;
    const separator = path.includes('?') ? '&' : '?';
    const events = client.watch<O & Meta>(`${path}${separator}allowWatchBookmarks=true`, {
      resourceVersion: from,
      timeoutSeconds: watchSeconds,
      signal,
    });
    const since = performance.now();
    for await (const { type, object } of events) {
      version = object.metadata.resourceVersion;
      if (type === 'BOOKMARK') continue;
      const changed = type === 'DELETED' ? present.delete(object.metadata.uid) : note(present, object);
      if (changed) onChange(present);
    }
    signal.throwIfAborted();
    if (version === from && performance.now() - since < 1_000)
      throw new Error(`the server ended the watch of ${path} at once`);
    return version;
  }

  /** Returns whether anything of interest may have changed. */
  function note(present: Map<string, T>, object: O & Meta): boolean {
    const { uid } = object.metadata;
    const kept = keep(object);
    if (kept === undefined) return present.delete(uid);
    present.set(uid, kept);
    return true;
  }
}
