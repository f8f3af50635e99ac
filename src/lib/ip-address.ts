import ipaddr from 'ipaddr.js';

/** One spelling for each address, so that two can be compared: an IPv4-mapped one is the IPv4 one. Undefined if it is none. */
export function canonicalAddress(text: string): string | undefined {
  const isOne = ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
  return isOne ? ipaddr.process(text).toString() : undefined;
}

const ofNoHost = new Set(['unspecified', 'broadcast', 'multicast', 'linkLocal', 'loopback']);

/** Whether it is an IPv4 address that a host can have, for other hosts to reach it. */
export function isHostAddress(address: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(address) && !ofNoHost.has(ipaddr.IPv4.parse(address).range());
}
