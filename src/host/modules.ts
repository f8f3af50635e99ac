import type { Host } from './host.js';

/**
 * `available`: built in or loaded. `loadable`: root can load it. `uninstalled`: the kernel was built with it as a module,
 * but its modules are gone, as between an upgrade and the reboot. `unknown`: this kernel does not say.
 */
export type ModuleState = 'available' | 'loadable' | 'uninstalled' | 'missing' | 'unknown';

/** Modules that a node uses, each with its kernel option and a file that exists when it is available. */
export const kernelModules = {
  br_netfilter: { option: 'BRIDGE_NETFILTER', trace: '/proc/sys/net/bridge/bridge-nf-call-iptables' },
  bridge: { option: 'BRIDGE', trace: '/sys/module/bridge' },
  veth: { option: 'VETH', trace: '/sys/module/veth' },
  vxlan: { option: 'VXLAN', trace: '/sys/module/vxlan' },
  overlay: { option: 'OVERLAY_FS', trace: '/sys/module/overlay' },
  tun: { option: 'TUN', trace: '/sys/module/tun' },
  fuse: { option: 'FUSE_FS', trace: '/sys/module/fuse' },
  ip_tables: { option: 'IP_NF_IPTABLES', trace: '/sys/module/ip_tables' },
  nf_tables: { option: 'NF_TABLES', trace: '/sys/module/nf_tables' },
  nft_ct: { option: 'NFT_CT', trace: '/sys/module/nft_ct' },
  nf_conntrack: { option: 'NF_CONNTRACK', trace: '/proc/sys/net/netfilter/nf_conntrack_max' },
} as const;

export type KernelModule = keyof typeof kernelModules;

/** The state of the modules called `names`, by default of all. */
export async function moduleStates(
  host: Host,
  names = Object.keys(kernelModules) as KernelModule[],
): Promise<Partial<Record<KernelModule, ModuleState>>> {
  const traces = await Promise.all(
    names.map(async (name) => (await host.stat(kernelModules[name].trace)) !== undefined),
  );
  if (!traces.includes(false)) return Object.fromEntries(names.map((name) => [name, 'available']));

  const release = (await host.read('/proc/sys/kernel/osrelease'))?.trim() ?? '';
  const [builtin, loadable] = await Promise.all(
    ['builtin', 'dep'].map((index) => host.read(`/lib/modules/${release}/modules.${index}`)),
  );
  // It is slow to unpack the configuration, so only where nothing else answers.
  const config =
    loadable === undefined
      ? ((await host.read('/proc/config.gz')) ?? (await host.read(`/boot/config-${release}`)))
      : undefined;

  const stateOf = (name: KernelModule): ModuleState => {
    if (lists(builtin, name) || config?.includes(`\nCONFIG_${kernelModules[name].option}=y`))
      return 'available';
    if (lists(loadable, name)) return 'loadable';
    if (loadable !== undefined) return 'missing';
    if (config === undefined) return 'unknown';
    return config.includes(`\nCONFIG_${kernelModules[name].option}=m`) ? 'uninstalled' : 'missing';
  };
  return Object.fromEntries(names.map((name, index) => [name, traces[index] ? 'available' : stateOf(name)]));
}

/** modules.builtin and modules.dep list a module as `…/<name>.ko`; in the latter it may be compressed and a colon follows. */
function lists(index: string | undefined, name: string): boolean {
  return index !== undefined && new RegExp(`(^|/)${name}\\.ko(\\.\\w+)?(:|$)`, 'm').test(index);
}
