import type { Credentials } from './credentials.js';
import type { HostFolder } from './certificates.js';
import type { Registries } from './model.js';
import { repositoryPrefix } from './rewrite.js';

/** What is known of registries, from all sources. */
export type Known = {
  registries: Registries;
  credentials: Credentials;
  folders: readonly HostFolder[];
};

/** In which containerd and dockerd look for a registry that has no folder of its own. */
export const anyRegistry = '_default';

/** TLS of one server. */
export type ServerTls = {
  ca: string[];
  clients: { cert: string; key: string }[];
  skipVerify: boolean;
};

/** What a server's entry of `configs` says, else what lies in its folder of certs.d. */
export function tlsOf({ registries, folders }: Known, host: string): ServerTls {
  const tls = registries.configs[host]?.tls;
  const folder = folders.find((each) => each.host === host);
  const { ca_file: ca, cert_file: cert, key_file: key, insecure_skip_verify: skipVerify = false } = tls ?? {};
  return {
    ca: ca === undefined ? (folder?.ca ?? []) : [ca],
    clients: cert === undefined || key === undefined ? (folder?.clients ?? []) : [{ cert, key }],
    skipVerify,
  };
}

/** The registries that something is known of, other than a password. */
export function knownHosts({ registries, folders }: Known): string[] {
  const named = [...Object.keys(registries.mirrors).map((name) => (name === '*' ? anyRegistry : name))];
  return [
    ...new Set([...named, ...Object.keys(registries.configs), ...folders.map(({ host }) => host)]),
  ].sort();
}

/** Of the API of registries. */
const usualPath = '/v2';

const text = JSON.stringify; // a JSON string is a TOML basic string

/** hosts.toml of one registry, as containerd and dockerd read it at each pull. */
export function hostsToml(known: Known, host: string): string {
  const endpoints = endpointsOf(known, host);
  const own = endpoints.find((endpoint) => isItself(endpoint, host));
  const server = own?.origin ?? serverOf(known, host);
  return [
    '# Made from registries.yaml, the credentials and certs.d; changes here are lost.',
    ...(server === undefined ? [] : [`server = ${text(server)}`, ...tlsLines(tlsOf(known, host))]),
    ...endpoints
      .filter((endpoint) => endpoint !== own)
      .flatMap((endpoint) => ['', ...endpointLines(known, endpoint)]),
    '',
  ].join('\n');
}

/**
 * `path` is that of its API, as k3s has it: `/v2`, or what stands in the URL. `prefixes` are what stands before repositories, in
 * the order of trying.
 */
type Endpoint = { origin: string; path: string; server: string; prefixes: string[] };

export function endpointsOf({ registries: { mirrors } }: Known, host: string): Endpoint[] {
  const { endpoint = [], rewrite = {} } =
    mirrors[host === anyRegistry ? '*' : host] ?? (host in mirrors ? {} : (mirrors['*'] ?? {}));
  const prefixes = Object.entries(rewrite).flatMap(
    ([pattern, replacement]) => repositoryPrefix(pattern, replacement) ?? [],
  );
  const forAll = prefixes.some(({ only }) => only === '');
  return endpoint.map((url) => {
    const { host: server, origin, pathname } = new URL(url);
    const path = pathname.replace(/\/+$/, '');
    return {
      origin,
      path: path === '' ? usualPath : path,
      server,
      prefixes: [...prefixes.map(({ before }) => before), ...(forAll ? [] : [''])],
    };
  });
}

function serverOf(known: Known, host: string): string | undefined {
  if (host === anyRegistry) return undefined;
  if (host === 'docker.io') return 'https://registry-1.docker.io';
  const { ca, skipVerify } = tlsOf(known, host);
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])(:|$)/.test(host);
  return isLoopback && ca.length === 0 && !skipVerify ? `http://${host}` : `https://${host}`;
}

/** Whether an endpoint says how a registry itself is reached, and not what stands in for it. */
export function isItself({ server, path }: Endpoint, host: string): boolean {
  return server === host && path === usualPath;
}

function endpointLines(known: Known, { origin, path, server, prefixes }: Endpoint): string[] {
  const tls = tlsLines(tlsOf(known, server)).map((line) => `  ${line}`);
  const { auth } = known.credentials[server] ?? {};
  return prefixes.flatMap((prefix) => {
    const plain = prefix === '' && path === usualPath;
    const url = plain ? origin : `${origin}${path}/${prefix}`.replace(/\/+$/, '');
    return [
      `[host.${text(url)}]`,
      '  capabilities = ["pull", "resolve"]',
      ...(plain ? [] : ['  override_path = true']),
      ...tls,
      // containerd sends the credentials of a pull to whom the image belongs, not to mirrors.
      ...(auth === undefined
        ? []
        : [`  [host.${text(url)}.header]`, `    Authorization = ${text(`Basic ${auth}`)}`]),
    ];
  });
}

function tlsLines({ ca, clients, skipVerify }: ServerTls): string[] {
  return [
    ...(ca.length === 0 ? [] : [`ca = [${ca.map((file) => text(file)).join(', ')}]`]),
    ...(clients.length === 0
      ? []
      : [`client = [${clients.map(({ cert, key }) => `[${text(cert)}, ${text(key)}]`).join(', ')}]`]),
    ...(skipVerify ? ['skip_verify = true'] : []),
  ];
}
