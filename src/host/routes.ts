import type { Host } from './host.js';

export type HostNetwork = { device: string; cidr: string };

/** The IPv4 networks that the host reaches by a route of their own: those it is in, and those behind a VPN. */
export async function hostNetworks(host: Pick<Host, 'read'>): Promise<HostNetwork[]> {
  return parseRoutes((await host.read('/proc/net/route')) ?? '');
}

/** proc_net(5): after a heading, lines of device, destination, gateway, flags, …, and the mask as the eighth. */
export function parseRoutes(table: string): HostNetwork[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([device = '', destination = '', , , , , , mask = '']) => {
      const prefix = bytes(mask)
        .map((byte) => byte.toString(2).replaceAll('0', '').length)
        .reduce((sum, ones) => sum + ones, 0);
      return prefix === 0 ? [] : [{ device, cidr: `${bytes(destination).join('.')}/${prefix}` }];
    });
}

/** An address as the kernel shows it here: a number in the byte order of the machine, which is always little-endian. */
function bytes(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).reverse();
}
