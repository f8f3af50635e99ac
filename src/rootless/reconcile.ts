import type { Claim } from './claim.js';
import type { Problem } from './port.js';
import { conflictWith } from './port-refusal.js';
import { formatParent, portsConflict, type PortSpec, type PortStatus } from './port-spec.js';

export type Plan = {
  /** IDs of ports of ours that nobody asks for any more; to be carried out first. */
  remove: number[];
  /** The ports to publish. */
  add: PortSpec[];
  /** What becomes of each claim, in their order; one without a problem is or will be published. */
  verdicts: { claim: Claim; problem?: Problem }[];
};

/**
 * What to ask of RootlessKit so that, besides the ports that others published, exactly those of `claims` are published. Of
 * two claims to the same port of the host the first in the list wins; two that also have the same target share the port.
 * `ours` are the IDs of ports that were published for claims, `own` the ports of the cluster itself.
 */
export function reconcile(
  claims: readonly Claim[],
  actual: readonly PortStatus[],
  ours: ReadonlySet<number>,
  own: readonly PortSpec[] = [],
): Plan {
  const foreign = actual.filter(({ id }) => !ours.has(id));
  const granted = new Map<string, Claim>();
  const verdicts = claims.map((claim) => {
    const problem = claim.problem ?? takenByOther(claim, foreign, own) ?? wantedTwice(claim, granted);
    if (problem !== undefined) return { claim, problem };
    if (!granted.has(keyOf(claim.spec))) granted.set(keyOf(claim.spec), claim);
    return { claim };
  });

  const present = new Set(actual.map(({ spec }) => keyOf(spec)));
  return {
    remove: actual.filter(({ id, spec }) => ours.has(id) && !granted.has(keyOf(spec))).map(({ id }) => id),
    add: [...granted.values()].map(({ spec }) => spec).filter((spec) => !present.has(keyOf(spec))),
    verdicts,
  };
}

/** Identity of a published port. */
export const keyOf = ({ proto, parentIP, parentPort, childIP, childPort }: PortSpec): string =>
  [proto, parentIP, parentPort, childIP, childPort].join(' ');

function takenByOther(
  { spec }: Claim,
  foreign: readonly PortStatus[],
  own: readonly PortSpec[],
): Problem | undefined {
  const rival = foreign.find((other) => portsConflict(other.spec, spec));
  if (rival === undefined || keyOf(rival.spec) === keyOf(spec)) return undefined;
  return conflictWith(spec, rival, own);
}

function wantedTwice({ spec }: Claim, granted: ReadonlyMap<string, Claim>): Problem | undefined {
  if (granted.has(keyOf(spec))) return undefined;
  const rival = [...granted.values()].find((other) => portsConflict(other.spec, spec));
  if (rival === undefined) return undefined;
  const { kind, namespace, name } = rival.owner;
  return {
    reason: `${formatParent(spec)} is published for ${kind} ${namespace}/${name}, which is older`,
    code: 'port-claimed-twice',
    fixes: ['give one of the two another port'],
    rivalNamespace: namespace,
  };
}
