import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, type U7sError } from '../lib/errors.js';
import { createPortClient, RootlessKitError, type PortClient } from '../rootless/api-client.js';
import { explainRefusal } from '../rootless/port-refusal.js';
import { formatPortSpec, type OwnedPort, type PortSpec } from '../rootless/port-spec.js';
import { createPortStore } from '../rootless/port-store.js';
import type { PortPlan } from '../plan/types.js';

/** RootlessKit opens its API while the first program inside starts: either may be first, by milliseconds. */
const apiPollMs = 20;
const apiLimitMs = 5_000;

/** Keeps the ports that people asked for: publishes them whenever a new RootlessKit starts, and knows whose they are. */
export type PortKeeper = {
  /** For a RootlessKit that has just started. Throws when a port of the cluster's description cannot be had. */
  publish(warn: (message: string) => void, signal: AbortSignal): Promise<void>;
  keep(spec: PortSpec): Promise<void>;
  forget(spec: PortSpec): Promise<void>;
  ports(): Promise<OwnedPort[]>;
  /** Ends what is published beside `owned`. */
  takeBack(owned: readonly OwnedPort[], signal: AbortSignal): Promise<void>;
};

export function createPortKeeper(plan: PortPlan): PortKeeper {
  const client = createPortClient(plan.apiSocket);
  const store = createPortStore(plan.record);
  const problems = new Map<string, U7sError>();
  const fromConfig = new Set(plan.config.map(formatPortSpec));

  async function add(spec: PortSpec, signal: AbortSignal): Promise<U7sError | undefined> {
    try {
      await client.add(spec, signal);
      return undefined;
    } catch (error) {
      if (!(error instanceof RootlessKitError)) throw error;
      const problem = await explainRefusal(error, spec, await client.list(signal));
      problems.set(formatPortSpec(spec), problem);
      return problem;
    }
  }

  function owned(spec: PortSpec, owner: string): OwnedPort {
    const problem = problems.get(formatPortSpec(spec));
    if (problem === undefined) return { spec, owner };
    const { message: reason, code, fixes } = problem;
    return { spec, owner, problem: { reason, code, fixes } };
  }

  return {
    publish: async (warn, signal) => {
      problems.clear();
      await untilAnswering(client, signal);
      let fault: U7sError | undefined;
      for (const spec of plan.config) fault = (await add(spec, signal)) ?? fault;
      const kept = await store.list().catch((error: unknown) => {
        warn(messageOf(error));
        return [];
      });
      for (const spec of kept) {
        const problem = await add(spec, signal);
        if (problem) warn(`a port that was published by hand is not published again: ${problem.message}`);
      }
      if (fault !== undefined) throw fault;
    },
    keep: async (spec) => {
      problems.delete(formatPortSpec(spec));
      if (!fromConfig.has(formatPortSpec(spec))) await store.add(spec);
    },
    forget: (spec) => store.remove(spec),
    ports: async () => [
      ...plan.builtIn,
      ...plan.config.map((spec) => owned(spec, 'config')),
      ...(await store.list()).map((spec) => owned(spec, 'manual')),
    ],
    takeBack: async (all, signal) => {
      const kept = new Set(all.map(({ spec }) => formatPortSpec(spec)));
      for (const { id, spec } of await client.list(signal)) {
        if (!kept.has(formatPortSpec(spec))) await client.remove(id, signal);
      }
    },
  };
}

async function untilAnswering(client: PortClient, signal: AbortSignal): Promise<void> {
  const end = Date.now() + apiLimitMs;
  for (;;) {
    try {
      await client.list(signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (Date.now() > end) throw error;
      await delay(apiPollMs, undefined, { signal });
    }
  }
}
