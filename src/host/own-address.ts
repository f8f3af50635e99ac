import { networkInterfaces } from 'node:os';

/** The first IPv4 address by which other hosts may reach this one; undefined when there is only loopback. */
export function ownAddress(interfaces = networkInterfaces()): string | undefined {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  return all.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}
