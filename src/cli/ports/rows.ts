import { formatPortSpec, type OwnedPort, type PortSpec, type PortStatus } from '../../rootless/port-spec.js';

/** A port that is published (then it has an ID), or that somebody wants published. */
export type PortRow = OwnedPort & { id?: number };

/** What RootlessKit publishes, each with who asked for it, and after it what it could not publish. */
export function portRows(
  live: readonly PortStatus[],
  owned: readonly OwnedPort[],
  /** Whose a port is that nobody we know of has asked for. */
  unknownOwner: 'docker' | 'manual',
): PortRow[] {
  const key = ({ spec }: { spec: PortSpec }): string => formatPortSpec(spec);
  const published = new Set(live.map(key));
  return [
    ...live.map((status) => {
      const wanted = owned.filter((port) => key(port) === key(status));
      const note = wanted.find((port) => port.note !== undefined)?.note;
      return {
        ...status,
        owner: [...new Set(wanted.map(({ owner }) => owner))].join(', ') || unknownOwner,
        ...(note === undefined ? {} : { note }),
      };
    }),
    ...owned.filter((port) => !published.has(key(port))),
  ];
}
