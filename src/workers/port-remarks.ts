import type { KubeEvent } from '../kube/events.js';
import { formatFix } from '../lib/fixes.js';
import { offsetNote, type Outcome } from '../rootless/claim.js';
import type { Problem } from '../rootless/port.js';
import { formatParent, transport } from '../rootless/port-spec.js';
import { isOurLoadBalancer, type Service } from './desired-ports.js';

/**
 * What people should know of their ports: which are not published or got another number, and which are published again
 * after having been in `missing` (see `askedBy`).
 */
export function remarks(outcomes: readonly Outcome[], missing: ReadonlySet<string>): KubeEvent[] {
  return outcomes.flatMap((outcome): KubeEvent[] => {
    const { claim, problem } = outcome;
    const asked = `${claim.asked.field} ${claim.asked.port}/${transport(claim.spec)}`;
    if (problem !== undefined) {
      const { reason, fixes } = forTenants(outcome, problem);
      const fix = fixes.map((each) => `; fix: ${formatFix(each, undefined)}`).join('');
      const message = `${asked} is not published: ${reason}${fix}`;
      return [{ regarding: claim.owner, type: 'Warning', reason: 'PortNotPublished', message }];
    }
    const note = offsetNote(claim);
    if (note === undefined && !missing.has(askedBy(outcome))) return [];
    const message = `${asked} is published as ${formatParent(claim.spec)}${note === undefined ? '' : `, ${note}`}`;
    return [{ regarding: claim.owner, type: 'Normal', reason: 'PortPublished', message }];
  });
}

/**
 * Events are read by everybody in the namespace. What else runs on the host, or in other namespaces, is the account's to know:
 * `u7s ports --why` tells it.
 */
function forTenants({ claim }: Outcome, problem: Problem): Pick<Problem, 'reason' | 'fixes'> {
  const port = formatParent(claim.spec);
  const fixes = ['take another port'];
  switch (problem.code) {
    case 'port-taken':
    case 'port-conflict':
      return { reason: `${port} is in use on the host`, fixes };
    case 'port-claimed-twice':
      return problem.rivalNamespace === claim.owner.namespace
        ? problem
        : { reason: `${port} is published for another namespace, which asked first`, fixes };
    case 'port-refused':
      return { reason: `the host refuses ${port}`, fixes };
    default:
      return problem;
  }
}

/** Identity of an outcome: who claims which port. */
export const askedBy = ({ claim: { owner, asked, spec } }: Outcome): string =>
  [owner.uid, asked.field, asked.port, transport(spec)].join(' ');

type Ingress = { ip?: string; ipMode?: string };

/** The load balancers whose status must change: they have `address` as soon as all their ports are published. */
export function staleStatuses(
  services: Iterable<Service>,
  outcomes: readonly Outcome[],
  address: string,
): { service: Service; ingress: Ingress[] }[] {
  const missing = new Set(
    outcomes.flatMap(({ claim, problem }) =>
      problem !== undefined && claim.asked.field === 'port' ? claim.owner.uid : [],
    ),
  );
  const claimed = new Set(outcomes.map(({ claim }) => claim.owner.uid));
  return [...services].filter(isOurLoadBalancer).flatMap((service) => {
    const { uid } = service.metadata;
    // One that is newer than the outcomes comes with the next.
    if (!claimed.has(uid)) return [];
    // kube-proxy must leave the address alone: in the namespaces 127.0.0.1 is another host.
    const ingress = missing.has(uid) ? [] : [{ ip: address, ipMode: 'Proxy' }];
    return textOf(service.status?.loadBalancer?.ingress ?? []) === textOf(ingress)
      ? []
      : [{ service, ingress }];
  });
}

const textOf = (list: readonly Ingress[]): string => list.map(({ ip, ipMode }) => `${ip} ${ipMode}`).join();
