import { createHash } from 'node:crypto';
import type { KubeClient } from './client.js';
import type { KubeObject } from './object.js';

/** What happened to an object, as `kubectl describe` shows it. */
export type KubeEvent = {
  regarding: { kind: string; namespace: string; name: string; uid: string };
  type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  reason: string;
  message: string;
};

/** Events last an hour (kube-apiserver's --event-ttl); one that still holds is recorded again. */
const repeatMs = 20 * 60_000;

export type EventRecorder = {
  /**
   * Records the present state: new events at once, lasting ones from time to time, and returning ones as new.
   * Never fails: Events inform people, and nothing depends on them.
   */
  record(current: readonly KubeEvent[], signal: AbortSignal): Promise<void>;
};

/** Records Events of core API objects as `component` of the node `host`. */
export function createEventRecorder(
  client: KubeClient,
  { component, host }: { component: string; host: string },
): EventRecorder {
  const told = new Map<string, { count: number; first: string; at: number }>();

  async function record(current: readonly KubeEvent[], signal: AbortSignal): Promise<void> {
    const byName = new Map(current.map((event) => [nameOf(event, host), event]));
    for (const name of told.keys()) if (!byName.has(name)) told.delete(name);
    for (const [name, event] of byName) {
      const last = told.get(name);
      const now = Date.now();
      if (last !== undefined && now - last.at < repeatMs) continue;
      const time = `${new Date(now).toISOString().slice(0, 19)}Z`;
      const entry = { count: (last?.count ?? 0) + 1, first: last?.first ?? time, at: now };
      try {
        await client.apply(eventObject(name, event, { ...entry, last: time }), {
          fieldManager: component,
          signal,
        });
        told.set(name, entry);
      } catch {
        // The namespace may be being deleted; otherwise the next attempt will do.
      }
    }
  }

  function eventObject(
    name: string,
    { regarding, type, reason, message }: KubeEvent,
    { count, first, last }: { count: number; first: string; last: string },
  ): KubeObject {
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: regarding.namespace },
      involvedObject: { apiVersion: 'v1', ...regarding },
      ...{ type, reason, message, count },
      source: { component, host },
      firstTimestamp: first,
      lastTimestamp: last,
    };
  }

  return { record };
}

/** One name for each statement of a node about an object, so that its repetition increases the count. */
function nameOf({ regarding, reason, message }: KubeEvent, host: string): string {
  const hash = createHash('sha256').update(`${host} ${regarding.uid} ${reason} ${message}`).digest('hex');
  // A name has at most 253 characters.
  return `${regarding.name.slice(0, 236)}.${hash.slice(0, 16)}`;
}
