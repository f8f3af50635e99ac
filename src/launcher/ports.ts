import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, type U7sError } from '../lib/errors.js';
import { warningOf, type Report } from '../lib/events.js';
import type { PortPlan } from '../plan/types.js';
import { createPortClient, RootlessKitError, type PortClient } from '../rootless/api-client.js';
import { claimedPort, type Claim, type ClaimedPorts, type Outcome } from '../rootless/claim.js';
import { createClaimedPorts } from '../rootless/claimed-ports.js';
import { portsOf, type Port, type PortOwner, type WantedPort } from '../rootless/port.js';
import { explainRefusal } from '../rootless/port-refusal.js';
import { formatPortSpec, type PortSpec, type PortStatus } from '../rootless/port-spec.js';
import { createPortStore } from '../rootless/port-store.js';

/** RootlessKit opens its API while the first program inside starts: either may be first, by milliseconds. */
const apiPollMs = 20;
const apiLimitMs = 5_000;

/**
 * All ports of one life of RootlessKit, with their owners. Whatever is published goes through here; dockerd alone publishes
 * at RootlessKit by itself.
 */
export type NodePorts = ClaimedPorts & {
  /** Publishes what the settings and people want at each start. Rejects when a port of the settings is refused. */
  open(report: Report, signal: AbortSignal): Promise<void>;
  /** What is published, and what is wanted besides. */
  list(signal: AbortSignal): Promise<Port[]>;
  /** Publishes a port by hand, now and at every start. */
  add(spec: PortSpec, signal: AbortSignal): Promise<PortStatus>;
  /** Ends a published port, whoever wanted it; one by hand for good. */
  remove(id: number, signal: AbortSignal): Promise<void>;
  /** Forgets a port by hand that is not published. */
  forget(spec: PortSpec): Promise<void>;
  /** Ends what nobody has asked us for: the ports that a dead dockerd has left. */
  takeBack(signal: AbortSignal): Promise<void>;
};

export function createNodePorts(
  plan: PortPlan,
  client: PortClient = createPortClient(plan.apiSocket),
): NodePorts {
  const store = createPortStore(plan.record);
  const own = plan.builtIn.map(({ spec }) => spec);
  const claimed = createClaimedPorts(client, own);
  const inTurn = createTurns();
  const unknown: PortOwner = { kind: plan.runtimePublishes ? 'docker' : 'manual' };
  const isConfigured = (spec: PortSpec): boolean => plan.config.some((own) => isSame(own, spec));
  /** Why ports of the settings and those by hand are not published, by spec. */
  const problems = new Map<string, U7sError>();
  let outcomes: Outcome[] = [];

  async function publish(spec: PortSpec, signal: AbortSignal): Promise<PortStatus> {
    try {
      const status = await client.add(spec, signal);
      problems.delete(formatPortSpec(spec));
      return status;
    } catch (error) {
      if (!(error instanceof RootlessKitError)) throw error;
      throw await explainRefusal(error, spec, await client.list(signal), own);
    }
  }

  /** Like `publish`, but a refusal is remembered and returned. */
  async function tryToPublish(spec: PortSpec, signal: AbortSignal): Promise<U7sError | undefined> {
    try {
      await publish(spec, signal);
      return undefined;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      problems.set(formatPortSpec(spec), error);
      return error;
    }
  }

  const wanted = async (): Promise<WantedPort[]> => {
    const of = (kind: 'config' | 'manual', spec: PortSpec): WantedPort => {
      const problem = problems.get(formatPortSpec(spec));
      if (problem === undefined) return { spec, owner: { kind } };
      const { message: reason, code, fixes } = problem;
      return { spec, owner: { kind }, problem: { reason, code, fixes } };
    };
    return [
      ...plan.builtIn,
      ...plan.config.map((spec) => of('config', spec)),
      ...(await store.list()).map((spec) => of('manual', spec)),
      ...outcomes.map(claimedPort),
    ];
  };

  return {
    open: (report, signal) =>
      inTurn(async () => {
        await untilAnswering(client, signal);
        const faults: U7sError[] = [];
        for (const spec of plan.config) faults.push(...[(await tryToPublish(spec, signal)) ?? []].flat());
        for (const spec of await store.list().catch(warned(report, []))) {
          const problem = await tryToPublish(spec, signal);
          if (problem === undefined) continue;
          const text = `a port that was published by hand is not published again: ${problem.message}`;
          report(warningOf(problem, text));
        }
        if (faults[0] !== undefined) throw faults[0];
      }),
    list: async (signal) => portsOf(await client.list(signal), await wanted(), unknown),
    publish: (claims: readonly Claim[], signal) =>
      inTurn(async () => (outcomes = await claimed.publish(claims, signal))),
    add: (spec, signal) =>
      inTurn(async () => {
        const status = await publish(spec, signal);
        if (!isConfigured(spec)) await store.add(spec);
        return status;
      }),
    remove: (id, signal) =>
      inTurn(async () => {
        const port = (await client.list(signal)).find((each) => each.id === id);
        await client.remove(id, signal);
        if (port !== undefined) await store.remove(port.spec);
      }),
    forget: (spec) => inTurn(() => store.remove(spec)),
    takeBack: (signal) =>
      inTurn(async () => {
        const known = await wanted();
        for (const { id, spec } of await client.list(signal)) {
          if (!known.some((own) => isSame(own.spec, spec))) await client.remove(id, signal);
        }
      }),
  };
}

const isSame = (a: PortSpec, b: PortSpec): boolean => formatPortSpec(a) === formatPortSpec(b);

/** RootlessKit has answered; anything else is that it does not. */
const isRefusal = (error: unknown): error is U7sError =>
  error instanceof Error && error.cause instanceof RootlessKitError;

const warned =
  <T>(report: Report, instead: T) =>
  (error: unknown): T => {
    report(warningOf(error));
    return instead;
  };

/** Carries changes out one after another: each sees what the one before it has done. */
function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(messageOf);
    return done;
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
