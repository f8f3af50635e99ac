import { tapAddressIn } from '../rootless/network.js';
import type { WantedPort } from '../rootless/port.js';
import { isWildcard, portsConflict, type PortSpec } from '../rootless/port-spec.js';
import { roleOf } from '../settings/role.js';
import type { Settings } from '../settings/schema.js';

/** The ports that other hosts, or clients on this one, must reach for the node to work. */
export function builtInPorts(settings: Settings): WantedPort[] {
  const { severalNodes, listenAddress, apiAddress, apiPort, kubeletPort, flannelPort } = settings;
  const forNodes = severalNodes ? listenAddress : undefined;
  const at = (proto: 'tcp' | 'udp', parentIP: string, port: number): WantedPort['spec'] => ({
    proto,
    parentIP,
    parentPort: port,
    // Without it RootlessKit would take the host's address, which does not always exist inside.
    ...(severalNodes ? { childIP: tapAddressIn(settings.nodeSubnet) } : {}),
    childPort: port,
  });
  const anywhere = apiAddress === '0.0.0.0';
  const apiAddresses = new Set([apiAddress, ...(forNodes === undefined || anywhere ? [] : [forNodes])]);
  const ofApi = [...apiAddresses].map((each) => ({
    spec: at('tcp', each, apiPort),
    owner: { kind: 'api-server' } as const,
  }));
  const ports = [
    ...(roleOf(settings) === 'control-plane' ? ofApi : []),
    ...(forNodes === undefined
      ? []
      : [
          { spec: at('tcp', forNodes, kubeletPort), owner: { kind: 'kubelet' } as const },
          { spec: at('udp', forNodes, flannelPort), owner: { kind: 'flannel' } as const },
        ]),
  ];
  // A port that the description publishes too, on the same address or on all, is published once, as described.
  return ports.filter(({ spec: own }) => !settings.publish.some((given) => covers(given, own)));
}

function covers(given: PortSpec, own: PortSpec): boolean {
  if (given.childPort !== own.childPort || !portsConflict(given, own)) return false;
  return given.parentIP === own.parentIP || isWildcard(given);
}
