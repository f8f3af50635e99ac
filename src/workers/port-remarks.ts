import type { KubeEvent } from '../kube/events.js';
import { isOurLoadBalancer, type Claim, type Service } from '../rootless/desired-ports.js';
import type { Outcome } from '../rootless/expose.js';
import { formatFix } from '../lib/fixes.js';
import { formatParent, transport, type OwnedPort } from '../rootless/port-spec.js';

/** A port that the cluster asks for, and what became of it, as `u7s ports` shows it. */
export function exposedPort({ claim, problem }: Outcome): OwnedPort {
  const { owner, spec } = claim;
  const note = offsetNote(claim);
  return {
    spec,
    owner: `${owner.kind.toLowerCase()}/${owner.namespace}/${owner.name}`,
    ...(problem === undefined ? {} : { problem }),
    ...(note === undefined ? {} : { note }),
  };
}

function offsetNote({ asked, spec }: Claim): string | undefined {
  if (spec.parentPort === asked.port) return undefined;
  return `instead of ${asked.port}, which the kernel refuses to ordinary users; to have that: sysctl -w net.ipv4.ip_unprivileged_port_start=${asked.port} as root`;
}

/**
 * What people should know of their ports: those that are not published or only as another port, and those that are
 * again, after having been in `missing` (see `askedBy`).
 */
export function remarks(outcomes: readonly Outcome[], missing: ReadonlySet<string>): KubeEvent[] {
  return outcomes.flatMap((outcome): KubeEvent[] => {
    const { claim, problem } = outcome;
    const asked = `${claim.asked.field} ${claim.asked.port}/${transport(claim.spec)}`;
    if (problem !== undefined) {
      const fix = problem.fixes.map((each) => `; fix: ${formatFix(each, undefined)}`).join('');
      const message = `${asked} is not published: ${problem.reason}${fix}`;
      return [{ regarding: claim.owner, type: 'Warning', reason: 'PortNotPublished', message }];
    }
    const note = offsetNote(claim);
    if (note === undefined && !missing.has(askedBy(outcome))) return [];
    const message = `${asked} is published as ${formatParent(claim.spec)}${note === undefined ? '' : `, ${note}`}`;
    return [{ regarding: claim.owner, type: 'Normal', reason: 'PortPublished', message }];
  });
}

/** Who wants which port: identity of an outcome. */
export const askedBy = ({ claim: { owner, asked, spec } }: Outcome): string =>
  [owner.uid, asked.field, asked.port, transport(spec)].join(' ');

type Ingress = { ip?: string; ipMode?: string };

/** The load balancers whose status has to change: they have `address` as soon as all their ports are published. */
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
    // One that came after the outcomes has its turn next.
    if (!claimed.has(uid)) return [];
    // kube-proxy is to leave the address alone: within the namespaces 127.0.0.1 is something else.
    const ingress = missing.has(uid) ? [] : [{ ip: address, ipMode: 'Proxy' }];
    return textOf(service.status?.loadBalancer?.ingress ?? []) === textOf(ingress)
      ? []
      : [{ service, ingress }];
  });
}

const textOf = (list: readonly Ingress[]): string => list.map(({ ip, ipMode }) => `${ip} ${ipMode}`).join();
