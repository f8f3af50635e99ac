import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { errnoOf, U7sError } from '../lib/errors.js';
import type { Fix } from '../lib/fixes.js';
import { portHolder } from './port-holder.js';
import { formatParent, type PortSpec } from './port-spec.js';

/** A port of the host that somebody may listen on. */
export type Place = { proto: 'tcp' | 'udp'; address: string; port: number };

/** How many ports are tried, beginning with the usual one. */
const reach = 100;

/** The first free port from `place.port` on; `onTaken` hears who has the usual one. */
export async function firstFree(
  place: Place,
  onTaken: (text: string) => void = () => undefined,
): Promise<number> {
  for (let port = place.port; port < place.port + reach; port++) {
    if ((await fault({ ...place, port })) !== 'EADDRINUSE') {
      if (port !== place.port) onTaken(`${await taken(place)}: taking ${port} instead`);
      return port;
    }
  }
  throw new U7sError('port-taken', `every port from ${place.port} to ${place.port + reach - 1} is taken`, {
    fixes: ['choose others with --port-base'],
  });
}

/** Throws when the port is taken, with the name of its holder. */
export async function requireFree(place: Place, ...fixes: Fix[]): Promise<void> {
  switch (await fault(place)) {
    case 'EADDRINUSE':
      throw new U7sError('port-taken', await taken(place), { fixes });
    case 'EADDRNOTAVAIL':
      throw new U7sError('no-such-address', `this host has no address ${place.address}`, {
        fixes: ['choose one of the host, which `ip -brief address` lists'],
      });
  }
}

async function taken({ proto, address, port }: Place): Promise<string> {
  const spec: PortSpec = { proto, parentIP: address, parentPort: port, childPort: port };
  const holder = await portHolder(spec);
  return `${formatParent(spec)} is taken by ${holder ?? 'another program'}`;
}

/** The errno name of listening there; undefined when it works. */
function fault({ proto, address, port }: Place): Promise<string | undefined> {
  return new Promise((resolve) => {
    if (proto === 'udp') {
      const socket = createSocket({ type: 'udp4', reuseAddr: false });
      socket.once('error', (error) => resolve(errnoOf(error) ?? 'EIO'));
      socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
      return;
    }
    const server = createServer();
    server.once('error', (error) => resolve(errnoOf(error) ?? 'EIO'));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
