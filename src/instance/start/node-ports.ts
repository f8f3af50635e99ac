import { firstFree, requireFree } from '../../rootless/free-ports.js';
import type { Settings } from '../../settings/schema.js';
import { defaultPorts, type PortField } from '../../settings/table.js';
import { u7s } from '../../lib/fixes.js';
import type { Report } from '../../lib/events.js';

const protocolOf = (field: PortField): 'tcp' | 'udp' => (field === 'flannelPort' ? 'udp' : 'tcp');

/** Finds a port near the usual one, and says so when that is another one. */
export function freePortFinder(report: Report): (field: PortField, address: string) => Promise<number> {
  return (field, address) =>
    firstFree({ proto: protocolOf(field), address, port: defaultPorts[field] }, (text) =>
      report({ kind: 'note', text }),
    );
}

/** Refuses to start where another program has a port by which other nodes reach this one. */
export async function requireNodePorts(settings: Settings): Promise<void> {
  const { severalNodes, listenAddress: address = '', kubeletPort, flannelPort } = settings;
  if (!severalNodes) return;
  await requireFree(
    { proto: 'tcp', address, port: kubeletPort },
    'stop that program, or choose another port with --kubelet-port',
  );
  await requireFree(
    { proto: 'udp', address, port: flannelPort },
    settings.controlPlane === undefined
      ? 'stop that program, or choose another port with --flannel-port'
      : u7s(['up', '--flannel-port', 'PORT'], {
          on: 'control-plane',
          text: 'stop that program; or, since all nodes of a cluster share this port, choose another one there',
        }),
  );
}
