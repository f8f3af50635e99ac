import { firstFree, requireFree } from '../rootless/free-ports.js';
import { defaultPorts, type Settings, type PortField } from '../settings/schema.js';
import type { Report } from '../lib/events.js';

const protocolOf = (field: PortField): 'tcp' | 'udp' => (field === 'flannelPort' ? 'udp' : 'tcp');

/** Finds a port near the usual one, and tells when that is another one. */
export function freePortFinder(report: Report): (field: PortField, address: string) => Promise<number> {
  return (field, address) =>
    firstFree({ proto: protocolOf(field), address, port: defaultPorts[field] }, (text) =>
      report({ kind: 'note', text }),
    );
}

/** Refuses to start where another program has a port by which other nodes reach this one. */
export async function requireNodePorts(settings: Settings): Promise<void> {
  const { hostIp, listenAddress: address = '', kubeletPort, flannelPort } = settings;
  if (hostIp === undefined) return;
  await requireFree(
    { proto: 'tcp', address, port: kubeletPort },
    'stop that program, or choose another port with --kubelet-port',
  );
  await requireFree(
    { proto: 'udp', address, port: flannelPort },
    'end that; all nodes of a cluster have this port alike, so another one begins at the control plane: u7s up --flannel-port',
  );
}
