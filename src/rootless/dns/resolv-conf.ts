/** What /etc/resolv.conf says of how names are resolved. */
export type Resolver = {
  /** Addresses, in the order in which they are asked. */
  servers: string[];
  /** Domains in which a short name is looked for. */
  search: string[];
};

export const resolvConf = '/etc/resolv.conf';

/** As resolv.conf(5) has it: the last of several `search` and `domain` lines counts, and without a server this host is asked. */
export function parseResolvConf(text: string): Resolver {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const servers = lines.flatMap(([key, address]) =>
    key === 'nameserver' && address !== undefined ? [address] : [],
  );
  const [, ...search] = lines.findLast(([key]) => key === 'search' || key === 'domain') ?? [];
  return { servers: servers.length === 0 ? ['127.0.0.1'] : [...new Set(servers)], search };
}

export function renderResolvConf({ servers, search }: Resolver): string {
  const lines = [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length === 0 ? [] : [`search ${search.join(' ')}`]),
  ];
  return `${lines.join('\n')}\n`;
}
