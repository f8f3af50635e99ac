import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { errnoOf, U7sError } from '../lib/errors.js';
import { portHolder } from './port-holder.js';
import { formatParent, type PortSpec } from './port-spec.js';

/** A port of the host, as far as it matters who listens there. */
export type Place = { proto: 'tcp' | 'udp'; address: string; port: number };

/** How many ports are looked at after the usual one. */
const reach = 100;

/** The first free port from `place.port` on, which tells who has the ones before. */
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
  throw new U7sError('todo', `every port from ${place.port} to ${place.port + reach - 1} is taken`, {
    fixes: ['name others: --port-base'],
  });
}

/** Refuses a port that somebody has, by name. */
export async function requireFree(place: Place, fix: string): Promise<void> {
  switch (await fault(place)) {
    case 'EADDRINUSE':
      throw new U7sError('todo', await taken(place), { fixes: [fix] });
    case 'EADDRNOTAVAIL':
      throw new U7sError('todo', `this host has no address ${place.address}`, {
        fixes: ['take one that it has: ip -brief address'],
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
