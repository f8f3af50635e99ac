import { join } from 'node:path';
import type { Door } from '../rootless/doors.js';
import { hostAddressIn } from '../rootless/network.js';
import type { Paths } from '../settings/paths.js';
import { loopbackProxies } from '../settings/proxy.js';
import type { Settings } from '../settings/schema.js';

/** Their sockets; exists only where there is a door. */
export const doorsFolder = ({ runtime }: Pick<Paths, 'runtime'>): string => join(runtime, 'doors');

/**
 * The ports of the host's loopback that the node reaches: those that pods may use, by the host's address in the node, and in
 * the node itself by the same address as on the host, so that `localhost:5000/…` can be pulled; a proxy only in the node.
 */
export function doorsOf(settings: Settings, { runtime }: Pick<Paths, 'runtime'>): Door[] {
  const socket = (name: string): string => join(doorsFolder({ runtime }), `${name}.sock`);
  const forPods = settings.hostAccess.map((port) => ({
    port,
    host: '127.0.0.1',
    listen: ['127.0.0.1', hostAddressIn(settings.nodeSubnet)],
    socket: socket(String(port)),
  }));
  const forProxies = loopbackProxies(settings)
    .filter(({ host, port }) => !(host === '127.0.0.1' && settings.hostAccess.includes(port)))
    .map(({ host, port }) => ({
      port,
      host,
      listen: [host],
      socket: socket(`${host.replaceAll(/[^0-9a-f]/g, '-')}-${port}`),
    }));
  return [...new Map([...forPods, ...forProxies].map((door) => [door.socket, door])).values()];
}
