import type { Fix } from '../lib/fixes.js';
import { formatPortSpec, type PortSpec, type PortStatus } from './port-spec.js';

/** Who asked for a port. */
export type PortOwner =
  | { kind: (typeof plainOwners)[number] }
  | { kind: (typeof claimants)[number]; namespace: string; name: string };

/** `config`: the settings of the instance. `manual`: a person, or a program that we do not know. `docker`: dockerd. */
export const plainOwners = ['api-server', 'kubelet', 'flannel', 'config', 'manual', 'docker'] as const;
export const claimants = ['service', 'pod'] as const;

/** Why a port is not published, and what to do. */
export type Problem = {
  reason: string;
  code: string;
  fixes: readonly Fix[];
  /** The namespace of the Service or pod that has the port instead. */
  rivalNamespace?: string;
};

/** A port that somebody has asked for. */
export type WantedPort = {
  spec: PortSpec;
  owner: PortOwner;
  problem?: Problem;
  /** What else there is to know: `instead of 80 …`. */
  note?: string;
};

/** A port that is published (then it has an ID) or should be. */
export type Port = {
  id?: number;
  spec: PortSpec;
  /** Several may share one. */
  owners: PortOwner[];
  problem?: Problem;
  note?: string;
};

/** The same with its owners in words, as people and scripts read it. */
export type PortRow = Omit<Port, 'owners'> & { owner: string };

export function portRow({ owners, ...port }: Port): PortRow {
  return { ...port, owner: owners.map(formatOwner).join(', ') };
}

/** `api-server`, `service/<namespace>/<name>`. */
export function formatOwner(owner: PortOwner): string {
  return 'name' in owner ? `${owner.kind}/${owner.namespace}/${owner.name}` : owner.kind;
}

/**
 * What RootlessKit publishes, each port with its owners; after it what is wanted and not published. `unknown` is the owner
 * of a port that nobody has asked us for.
 */
export function portsOf(
  live: readonly PortStatus[],
  wanted: readonly WantedPort[],
  unknown: PortOwner,
): Port[] {
  const published = new Set(live.map(({ spec }) => formatPortSpec(spec)));
  return [
    ...live.map(({ id, spec }): Port => {
      const own = wanted.filter((each) => formatPortSpec(each.spec) === formatPortSpec(spec));
      const owners = new Map(own.map(({ owner }) => [formatOwner(owner), owner]));
      const note = own.find((each) => each.note !== undefined)?.note;
      return {
        id,
        spec,
        owners: owners.size === 0 ? [unknown] : [...owners.values()],
        ...(note === undefined ? {} : { note }),
      };
    }),
    ...wanted
      .filter(({ spec }) => !published.has(formatPortSpec(spec)))
      .map(({ owner, ...port }): Port => ({ ...port, owners: [owner] })),
  ];
}
