import { anyRegistry, endpointsOf, isItself, knownHosts, tlsOf, type Known } from './hosts-toml.js';
import { repositoryPrefix } from './rewrite.js';

const text = JSON.stringify; // a JSON string is a TOML basic string

/** containers-registries.conf(5), for CRI-O and skopeo. A short name means Docker Hub's, as it does with containerd. */
export function registriesConf(known: Known): string {
  return [
    'unqualified-search-registries = ["docker.io"]',
    ...knownHosts(known).flatMap((host) => registryLines(known, host)),
    '',
  ].join('\n');
}

function registryLines(known: Known, host: string): string[] {
  if (host === anyRegistry || !/^[a-zA-Z0-9[]/.test(host)) return [];
  const endpoints = endpointsOf(known, host);
  const own = endpoints.find((endpoint) => isItself(endpoint, host));
  const insecure = tlsOf(known, host).skipVerify || own?.origin.startsWith('http:') === true;
  const mirrors = endpoints.filter((endpoint) => endpoint !== own);
  const head = insecure ? ['insecure = true'] : [];
  if (mirrors.length === 0 && !insecure) return [];
  const rules = Object.entries(known.registries.mirrors[host]?.rewrite ?? {}).flatMap(
    ([pattern, replacement]) => repositoryPrefix(pattern, replacement) ?? [],
  );
  // A rule for some repositories is a registry of its own to these programs: the longest prefix counts.
  const parts = [...(rules.some(({ only }) => only === '') ? [] : [{ before: '', only: '' }]), ...rules];
  return parts.flatMap(({ before, only }) => {
    const name = `${host}/${only}`.replace(/\/+$/, '');
    return [
      '',
      '[[registry]]',
      `prefix = ${text(name)}`,
      `location = ${text(name)}`,
      ...head,
      ...mirrors.flatMap(({ origin, path, server }) => {
        // The program itself puts /v2 before it.
        const below = path.replace(/^\/v2/, '');
        const unsafe = origin.startsWith('http:') || tlsOf(known, server).skipVerify;
        return [
          '  [[registry.mirror]]',
          `  location = ${text(`${server}${below}/${before}${only}`.replace(/\/+$/, ''))}`,
          ...(unsafe ? ['  insecure = true'] : []),
        ];
      }),
    ];
  });
}
