import { dirname } from 'node:path';

/** How packets are filtered and rewritten in the node's network namespace. */
export type Netfilter = {
  backend: 'iptables' | 'nftables';
  /** Where `iptables-legacy` and the programs that go with it are, when they are to serve as `iptables`. */
  legacyFolder?: string;
};

/** What kube-proxy, portmap and the bridge plugin ask of iptables, as sh runs it in a network namespace. */
const rules = (program: string): string => `
${program} -t nat -A POSTROUTING -m comment --comment trial -m mark --mark 0x4000/0x4000 -j MASQUERADE --random-fully &&
${program} -t nat -A OUTPUT -m addrtype --dst-type LOCAL -m statistic --mode random --probability 0.5 -j RETURN &&
${program} -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`;

/** By program, what it must be able to do. */
export const netfilterProbes = {
  'iptables-legacy': rules('iptables-legacy'),
  iptables: rules('iptables'),
  nft: `nft -f - <<'END'
table ip trial {
  chain nat { type nat hook postrouting priority 100; meta mark & 0x4000 == 0x4000 masquerade fully-random; }
}
END`,
};

/**
 * The first that works, undefined when none does. Legacy iptables comes first: on top of nf_tables a whole change is one
 * netlink message, which only root of the host may make larger than `net.core.wmem_default` (208 KiB), so that kube-proxy
 * fails from about fifty Services on.
 *
 * @param faults what went wrong, by program
 * @param legacy path of iptables-legacy
 */
export function chooseNetfilter(
  faults: Partial<Record<string, string>>,
  legacy: string | undefined,
): Netfilter | undefined {
  if (legacy !== undefined && faults['iptables-legacy'] === undefined)
    return { backend: 'iptables', legacyFolder: dirname(legacy) };
  if (faults['iptables'] === undefined) return { backend: 'iptables' };
  return faults['nft'] === undefined ? { backend: 'nftables' } : undefined;
}
