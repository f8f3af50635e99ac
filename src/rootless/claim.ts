import type { Problem, WantedPort } from './port.js';
import type { PortSpec } from './port-spec.js';

/** The wish of a Service or a pod for one port of the host. */
export type Claim = {
  owner: Owner;
  /** The field of its author's manifest. */
  asked: { field: 'nodePort' | 'port' | 'hostPort'; port: number };
  spec: PortSpec;
  /** It cannot be published, whatever the host is like. */
  problem?: Problem;
};

/** Who claims a port, as the API refers to it. */
export type Owner = { kind: 'Service' | 'Pod'; namespace: string; name: string; uid: string };

/** What became of a claim. */
export type Outcome = { claim: Claim; problem?: Problem };

/** Publishes what is claimed, and nothing else that was claimed before. */
export type ClaimedPorts = {
  /**
   * Says of each claim what became of it. Throws when RootlessKit does not answer; then, as after a problem, it must be
   * called again.
   */
  publish(claims: readonly Claim[], signal: AbortSignal): Promise<Outcome[]>;
};

export function claimedPort({ claim, problem }: Outcome): WantedPort {
  const { owner, spec } = claim;
  const note = offsetNote(claim);
  return {
    spec,
    owner: {
      kind: owner.kind === 'Service' ? 'service' : 'pod',
      namespace: owner.namespace,
      name: owner.name,
    },
    ...(problem === undefined ? {} : { problem }),
    ...(note === undefined ? {} : { note }),
  };
}

/** That a claim got another port than it asked for; undefined if it did not. */
export function offsetNote({ asked, spec }: Claim): string | undefined {
  if (spec.parentPort === asked.port) return undefined;
  return `instead of ${asked.port}, which the kernel refuses to ordinary users; to allow it: sysctl -w net.ipv4.ip_unprivileged_port_start=${asked.port} as root`;
}
