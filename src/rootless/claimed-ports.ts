import { RootlessKitError, type PortClient } from './api-client.js';
import type { Claim, ClaimedPorts, Outcome } from './claim.js';
import type { Problem } from './port.js';
import { explainRefusal } from './port-refusal.js';
import type { PortSpec, PortStatus } from './port-spec.js';
import { keyOf, reconcile } from './reconcile.js';

/**
 * Publishes claims at one RootlessKit beside the ports of the cluster itself, `own`, and remembers which ports those are for as long as it lives; with it they end. Not
 * to be called twice at once.
 */
export function createClaimedPorts(
  client: Pick<PortClient, 'list' | 'add' | 'remove'>,
  own: readonly PortSpec[] = [],
): ClaimedPorts {
  const ours = new Set<number>();
  /** Requested without an answer: if they are published, they are ours. */
  const unanswered = new Set<string>();

  async function publish(claims: readonly Claim[], signal: AbortSignal): Promise<Outcome[]> {
    const actual = await client.list(signal);
    for (const { id, spec } of actual) if (unanswered.has(keyOf(spec))) ours.add(id);
    unanswered.clear();
    const ids = new Set(actual.map(({ id }) => id));
    for (const id of ours) if (!ids.has(id)) ours.delete(id);

    const { remove, add, verdicts } = reconcile(claims, actual, ours, own);
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
        failures.set(keyOf(spec), await problemOf(error, spec, actual, own));
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

async function problemOf(
  error: unknown,
  spec: PortSpec,
  live: readonly PortStatus[],
  own: readonly PortSpec[],
): Promise<Problem> {
  if (!(error instanceof RootlessKitError)) throw error;
  const { message: reason, code, fixes } = await explainRefusal(error, spec, live, own);
  return { reason, code, fixes };
}
