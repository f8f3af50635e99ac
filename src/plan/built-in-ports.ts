import { tapAddressIn } from '../rootless/network.js';
import type { WantedPort } from '../rootless/port.js';
import { isWildcard, portsConflict, type PortSpec } from '../rootless/port-spec.js';
import { roleOf } from '../settings/role.js';
import type { Settings } from '../settings/schema.js';

/** What other hosts, or clients on this one, must reach for the node to work. */
export function builtInPorts(settings: Settings): WantedPort[] {
  const { hostIp, listenAddress, apiAddress, apiPort, kubeletPort, flannelPort } = settings;
  const lead = (proto: 'tcp' | 'udp', parentIP: string, port: number): WantedPort['spec'] => ({
    proto,
    parentIP,
    parentPort: port,
    // Without it RootlessKit would take the address of the host, which is not always one inside.
    ...(hostIp === undefined ? {} : { childIP: tapAddressIn(settings.nodeSubnet) }),
    childPort: port,
  });
  const anywhere = apiAddress === '0.0.0.0';
  const forNodes = hostIp === undefined || anywhere ? [] : [listenAddress ?? hostIp];
  const apiAddresses = new Set([apiAddress, ...forNodes]);
  const ofApi = [...apiAddresses].map((each) => ({
    spec: lead('tcp', each, apiPort),
    owner: { kind: 'api-server' } as const,
  }));
  const ports = [
    ...(roleOf(settings) === 'control-plane' ? ofApi : []),
    ...(hostIp === undefined
      ? []
      : [
          { spec: lead('tcp', listenAddress ?? hostIp, kubeletPort), owner: { kind: 'kubelet' } as const },
          { spec: lead('udp', listenAddress ?? hostIp, flannelPort), owner: { kind: 'flannel' } as const },
        ]),
  ];
  // One that the description publishes too, on the same address or on all, is published once, as it says.
  return ports.filter(({ spec: own }) => !settings.publish.some((given) => covers(given, own)));
}

function covers(given: PortSpec, own: PortSpec): boolean {
  if (given.childPort !== own.childPort || !portsConflict(given, own)) return false;
  return given.parentIP === own.parentIP || isWildcard(given);
}
