import { readFile } from 'node:fs/promises';
import { socketHolder } from '../lib/processes.js';
import { portsConflict, transport, type PortSpec, type Protocol } from './port-spec.js';

/**
 * Who on this host has the port that `spec` asks for, as far as we may see: `nginx (pid 4711)`, or `a process of uid 0`.
 * undefined when nothing is found.
 */
export async function portHolder(spec: PortSpec): Promise<string | undefined> {
  const sockets = (
    await Promise.all((['4', '6'] as const).map((family) => boundSockets(spec, family)))
  ).flat();
  const found = sockets.find((socket) => portsConflict(socket.spec, spec));
  if (found === undefined) return undefined;
  const holder = socketHolder(found.inode);
  return holder === undefined ? `a process of uid ${found.uid}` : `${holder.name} (pid ${holder.pid})`;
}

type BoundSocket = { spec: PortSpec; uid: string; inode: string };

/** /proc/net/{tcp,udp}[6], proc_net(5): the address is the second field, the state the fourth, then UID and inode. */
async function boundSockets(spec: PortSpec, family: '4' | '6'): Promise<BoundSocket[]> {
  const kind = transport(spec);
  const table = await readFile(`/proc/net/${kind}${family === '6' ? '6' : ''}`, 'utf8').catch(() => '');
  // A listening TCP socket is in state 0A, an unconnected UDP socket in 07.
  const waiting = kind === 'tcp' ? '0A' : '07';
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === waiting)
    .map(([, local = '', , , , , , uid = '', , inode = '']) => {
      const [address = '', port = ''] = local.split(':');
      const parentIP = readableAddress(address);
      // Whether an IPv6 wildcard takes the IPv4 port too cannot be seen; mostly it does.
      const proto = (parentIP === '::' ? kind : `${kind}${family}`) as Protocol;
      return { spec: { ...spec, proto, parentIP, parentPort: parseInt(port, 16) }, uid, inode };
    });
}

/** The kernel prints 32-bit words in the order of the CPU, little-endian on all that we run on. */
function readableAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return groups.every((group) => group === '0') ? '::' : groups.join(':');
}
