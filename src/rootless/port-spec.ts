import { isIP, isIPv4, isIPv6, SocketAddress } from 'node:net';
import { UsageError } from '../lib/errors.js';

/** RootlessKit's own: the bare names mean both address families where the address leaves it open. */
export const protocols = ['tcp', 'tcp4', 'tcp6', 'udp', 'udp4', 'udp6', 'sctp', 'sctp4', 'sctp6'] as const;
export type Protocol = (typeof protocols)[number];

/** A port of the host that is forwarded to one inside the namespaces. */
export type PortSpec = {
  proto: Protocol;
  /** Address of the host to listen on; empty for all. */
  parentIP: string;
  parentPort: number;
  /** Where the connection goes inside. RootlessKit's builtin driver takes the parent's address, or 127.0.0.1 for all. */
  childIP?: string;
  childPort: number;
};

/** A port that RootlessKit has published, under the number it gave it. */
export type PortStatus = { id: number; spec: PortSpec };

const form =
  'write it as ADDRESS:PORT:[ADDRESS:]PORT/PROTOCOL, for example 127.0.0.1:8080:80/tcp or [::1]:8080:80/udp';

/** `address:port[:address]:port`, an IPv6 address in brackets. */
const ends =
  /^(?:\[(?<parent6>[^[\]]*)\]|(?<parent>[^:[\]]*)):(?<parentPort>[^:[\]]*)(?::(?:\[(?<child6>[^[\]]*)\]|(?<child>[^:[\]]*)))?:(?<childPort>[^:[\]]*)$/;

/**
 * Reads `<parent IP>:<parent port>[:<child IP>]:<child port>/<proto>`, the form of RootlessKit's `--publish` and
 * `rootlessctl add-ports` (its pkg/port/portutil, whose messages these are).
 */
export function parsePortSpec(text: string): PortSpec {
  const quoted = JSON.stringify(text);
  const wrong = (what: string): UsageError =>
    new UsageError(
      'port-spec',
      what,
      text.includes(',') ? 'give each port as a word of its own, without commas' : form,
    );

  const slash = text.lastIndexOf('/');
  if (slash < 0) throw wrong(`missing proto in PortSpec string: ${quoted}`);
  const proto = text.slice(slash + 1);
  if (!isProtocol(proto)) {
    throw wrong(`invalid PortSpec string: ${quoted}: unknown proto: ${JSON.stringify(proto)}`);
  }
  const parts = ends.exec(text.slice(0, slash))?.groups;
  if (parts === undefined) throw wrong(`unexpected PortSpec string: ${quoted}`);

  const address = (name: string, value = ''): string => {
    if (value !== '' && !isAddress(value)) throw wrong(`unexpected ${name} in PortSpec string: ${quoted}`);
    return value;
  };
  const port = (name: string, value = ''): number => {
    if (!/^\d+$/.test(value)) throw wrong(`unexpected ${name} in PortSpec string: ${quoted}`);
    const number = Number(value);
    if (number < 1 || number > 65535)
      throw wrong(`invalid ${name} in PortSpec string: ${quoted}: ${value} is not between 1 and 65535`);
    return number;
  };
  const parentIP = address('ParentIP', parts['parent6'] ?? parts['parent']);
  const childIP = address('ChildIP', parts['child6'] ?? parts['child']);
  return {
    proto,
    parentIP,
    parentPort: port('ParentPort', parts['parentPort']),
    ...(childIP === '' ? {} : { childIP }),
    childPort: port('ChildPort', parts['childPort']),
  };
}

/** The opposite of `parsePortSpec`. */
export function formatPortSpec({ proto, parentIP, parentPort, childIP, childPort }: PortSpec): string {
  const child = childIP === undefined ? '' : `${bracketed(childIP)}:`;
  return `${bracketed(parentIP)}:${parentPort}:${child}${childPort}/${proto}`;
}

/** What is taken on the host, as people write it: `127.0.0.1:8080/tcp`, `*:53/udp`. */
export function formatParent({ proto, parentIP, parentPort }: PortSpec): string {
  return `${parentIP === '' ? '*' : bracketed(parentIP)}:${parentPort}/${proto}`;
}

/** Whether the kernel lets only one of the two listen: a wildcard takes the port on every address of its families. */
export function portsConflict(a: PortSpec, b: PortSpec): boolean {
  if (transport(a) !== transport(b) || a.parentPort !== b.parentPort) return false;
  const shared = families(a).filter((family) => families(b).includes(family));
  if (shared.length === 0) return false;
  return isWildcard(a) || isWildcard(b) || canonical(a.parentIP) === canonical(b.parentIP);
}

/** `tcp` of `tcp4`. */
export function transport({ proto }: Pick<PortSpec, 'proto'>): string {
  return proto.replace(/[46]$/, '');
}

/** Go's rule, by which RootlessKit listens: for a bare `tcp` or `udp` even 0.0.0.0 means both families. */
function families(spec: PortSpec): number[] {
  const suffix = Number(/[46]$/.exec(spec.proto)?.[0]);
  if (suffix) return [suffix];
  return isWildcard(spec) ? [4, 6] : [isIP(spec.parentIP)];
}

export function isWildcard({ parentIP }: PortSpec): boolean {
  return parentIP === '' || ['0.0.0.0', '::'].includes(canonical(parentIP));
}

function canonical(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}

/** Like Go's net.ParseIP: no zones. */
function isAddress(text: string): boolean {
  return isIPv4(text) || (isIPv6(text) && !text.includes('%'));
}

function isProtocol(text: string): text is Protocol {
  return protocols.some((protocol) => protocol === text);
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
