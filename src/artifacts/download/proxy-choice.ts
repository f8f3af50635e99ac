import ipaddr from 'ipaddr.js';
import { FatalArtifactError } from '../errors.js';

type Env = Record<string, string | undefined>;

/** Reads HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY as curl and Go do; a lower-case name wins. */
export function proxyFor(url: URL, env: Env): URL | undefined {
  const read = (name: string): string => (env[name.toLowerCase()] ?? env[name] ?? '').trim();
  const value = read(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') || read('ALL_PROXY');
  if (value === '' || isExcluded(url, read('NO_PROXY'))) return undefined;
  const text = value.includes('://') ? value : `http://${value}`;
  if (!/^(https?|socks5h?):/i.test(text) || !URL.canParse(text)) {
    throw new FatalArtifactError(
      'proxy-invalid',
      'the proxy variable is not an http://, https:// or socks5:// URL',
      {
        fixes: [
          'set HTTPS_PROXY to a URL, for example http://proxy.example:3128 or socks5://proxy.example:1080',
          'in a password, write / as %2F, ? as %3F and # as %23',
        ],
      },
    );
  }
  return new URL(text);
}

/** User and password of a URL. A `%` that encodes nothing is one. */
export function credentialsOf(url: URL): { user: string; password: string } | undefined {
  if (url.username === '' && url.password === '') return undefined;
  return { user: decode(url.username), password: decode(url.password) };
}

/** The value of a header `Authorization` or `Proxy-Authorization`. */
export function basicAuthorization({ user, password }: { user: string; password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function decode(text: string): string {
  return text.replace(/(%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded;
    }
  });
}

/** Whether a list like NO_PROXY's, separated by commas or blanks, names the host of `url`. */
function isExcluded(url: URL, list: string): boolean {
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== '' && excludes(entry, url));
}

function excludes(entry: string, url: URL): boolean {
  if (entry === '*') return true;
  const host = withoutBrackets(url.hostname).toLowerCase();
  if (entry.includes('/')) return isInNetwork(host, entry);
  const { name, port } = hostAndPort(entry);
  if (port !== undefined && port !== (url.port || (url.protocol === 'https:' ? '443' : '80'))) return false;
  if (ipaddr.isValid(name) && ipaddr.isValid(host))
    return ipaddr.process(name).toString() === ipaddr.process(host).toString();
  const domain = name.replace(/^\*?\./, '');
  return host === domain || host.endsWith(`.${domain}`);
}

/** An IPv6 address with a port has brackets; without a port it may have them. */
function hostAndPort(entry: string): { name: string; port: string | undefined } {
  if (ipaddr.IPv6.isValid(entry)) return { name: entry, port: undefined };
  const [, bracketed, plain = '', port] = /^(?:\[(.*)\]|(.*?))(?::(\d+))?$/.exec(entry) ?? [];
  return { name: bracketed ?? plain, port };
}

function isInNetwork(host: string, network: string): boolean {
  if (!ipaddr.isValid(host) || !ipaddr.isValidCIDR(network)) return false;
  const address = ipaddr.process(host);
  const [base, bits] = ipaddr.parseCIDR(network);
  return address.kind() === base.kind() && address.match([base, bits] as [ipaddr.IPv4, number]);
}

export const withoutBrackets = (host: string): string => host.replace(/^\[|\]$/g, '');
