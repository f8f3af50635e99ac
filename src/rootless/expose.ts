import { RootlessKitError, type PortClient } from './api-client.js';
import type { Claim, Problem } from './desired-ports.js';
import { explainRefusal } from './port-refusal.js';
import type { PortSpec, PortStatus } from './port-spec.js';
import { keyOf, reconcile } from './reconcile.js';

/** What became of a claim. */
export type Outcome = { claim: Claim; problem?: Problem };

export type PortPublisher = {
  /**
   * Makes RootlessKit publish what is claimed and nothing else of ours, and says of each claim what became of it.
   * Throws when RootlessKit does not answer; then, as after a problem, it is to be called again.
   */
  publish(claims: readonly Claim[], signal: AbortSignal): Promise<Outcome[]>;
};

/** Remembers which ports are ours for as long as one RootlessKit lives; with it they end. Not to be called twice at once. */
export function createPortPublisher(client: Pick<PortClient, 'list' | 'add' | 'remove'>): PortPublisher {
  const ours = new Set<number>();
  /** Asked for without hearing an answer: if they are there, they are ours. */
  const unanswered = new Set<string>();

  async function publish(claims: readonly Claim[], signal: AbortSignal): Promise<Outcome[]> {
    const actual = await client.list(signal);
    for (const { id, spec } of actual) if (unanswered.has(keyOf(spec))) ours.add(id);
    unanswered.clear();
    const ids = new Set(actual.map(({ id }) => id));
    for (const id of ours) if (!ids.has(id)) ours.delete(id);

    const { remove, add, verdicts } = reconcile(claims, actual, ours);
    for (const id of remove) {
      // One that somebody else has just removed is as good.
      await client.remove(id, signal).catch(unlessUnanswered);
    }
    const failures = new Map<string, Problem>();
    for (const spec of add) {
      unanswered.add(keyOf(spec));
      try {
        ours.add((await client.add(spec, signal)).id);
      } catch (error) {
        failures.set(keyOf(spec), await problemOf(error, spec, actual));
      }
      unanswered.delete(keyOf(spec));
    }
    return verdicts.map(({ claim, problem = failures.get(keyOf(claim.spec)) }) => ({
      claim,
      ...(problem === undefined ? {} : { problem }),
    }));
  }

  return { publish };
}

function unlessUnanswered(error: unknown): void {
  if (!(error instanceof RootlessKitError)) throw error;
}

async function problemOf(error: unknown, spec: PortSpec, live: readonly PortStatus[]): Promise<Problem> {
  if (!(error instanceof RootlessKitError)) throw error;
  const { message: reason, code, fixes } = await explainRefusal(error, spec, live);
  return { reason, code, fixes };
}
