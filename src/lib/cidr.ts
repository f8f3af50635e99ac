import ipaddr from 'ipaddr.js';
import { UsageError } from './errors.js';

/** The `index`-th address of an IPv4 network: `nthAddress('10.0.0.0/24', 53)` is `10.0.0.53`. */
export function nthAddress(cidr: string, index: number): string {
  const [network, prefix] = parseNetwork(cidr);
  if (index < 0 || index >= 2 ** (32 - prefix))
    throw new UsageError('no-such-address', `${cidr} has no address number ${index}`);
  const value = network.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0) + index;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

export function cidrContains(cidr: string, address: string): boolean {
  return ipaddr.IPv4.isValid(address) && ipaddr.IPv4.parse(address).match(parseNetwork(cidr));
}

export function cidrsOverlap(a: string, b: string): boolean {
  const [networkA, prefixA] = parseNetwork(a);
  const [networkB, prefixB] = parseNetwork(b);
  const shorter = Math.min(prefixA, prefixB);
  return networkA.match(networkB, shorter);
}

function parseNetwork(cidr: string): [ipaddr.IPv4, number] {
  if (!ipaddr.IPv4.isValidCIDR(cidr)) {
    throw new UsageError(
      'network-invalid',
      `${JSON.stringify(cidr)} is not an IPv4 network`,
      'write it as an address and a prefix length, for example 10.88.0.0/16',
    );
  }
  const [, prefix] = ipaddr.IPv4.parseCIDR(cidr);
  return [ipaddr.IPv4.networkAddressFromCIDR(cidr), prefix];
}
