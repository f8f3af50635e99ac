import type { Host } from './host.js';

export type HostNetwork = { device: string; cidr: string };

/** The IPv4 networks that have a route of their own on this host: its own, and those behind a VPN. */
export async function hostNetworks(host: Pick<Host, 'read'>): Promise<HostNetwork[]> {
  return parseRoutes((await host.read('/proc/net/route')) ?? '');
}

/** proc_net(5): below a heading, lines of device, destination, gateway, flags, …, with the mask in the eighth place. */
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

/** An address as the kernel prints it here: a number in the machine's byte order, which is always little-endian. */
function bytes(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).reverse();
}
