import type { Host } from './host.js';

/** What a kernel setting must be. A setting that this kernel lacks counts as satisfied. */
export type SysctlRule = {
  key: string;
  /** The value to write, given the current one. */
  wanted: (current: string) => string;
  satisfied: (current: string, gid: number) => boolean;
};

export const nftablesRoom = 'net.core.wmem_default';
/** Size in bytes of a netlink message that holds the rules of a thousand Services. */
export const iptablesRoom = 4_194_304;

export const sysctlRules: SysctlRule[] = [
  exactly('kernel.unprivileged_userns_clone', '1'), // a switch that only Debian and Arch have
  atLeast('user.max_user_namespaces', 1024, 28633), // wanted: RootlessKit's documentation
  {
    key: 'net.ipv4.ping_group_range',
    wanted: () => '0 2147483647',
    satisfied: (current, gid) => {
      const [first = 1, last = 0] = current.split(/\s+/).map(Number);
      return first <= gid && gid <= last;
    },
  },
  atLeast('fs.inotify.max_user_instances', 1024),
  atLeast('fs.inotify.max_user_watches', 524_288), // kind's "known issues"
  atLeast('kernel.keys.maxkeys', 2000), // runc makes a keyring for each container; values of LXD's production setup
  atLeast('kernel.keys.maxbytes', 2_000_000),
  atLeast(nftablesRoom, iptablesRoom), // only where iptables must use nf_tables
];

/** Current values by key, of the settings that this kernel has. */
export async function readSysctls(host: Host): Promise<Record<string, string>> {
  const values = await Promise.all(
    sysctlRules.map(async ({ key }) => [key, (await readSysctl(host, key)) ?? ''] as const),
  );
  return Object.fromEntries(values.filter(([, value]) => value !== ''));
}

export async function readSysctl(host: Host, key: string): Promise<string | undefined> {
  return (await host.read(`/proc/sys/${key.replaceAll('.', '/')}`))?.trim();
}

/** The settings among `keys` (default: all) that are wrong for a node whose user has the group `gid`. */
export function unsatisfiedSysctls(values: Record<string, string>, gid: number, keys?: string[]): string[] {
  return sysctlRules
    .filter(({ key, satisfied }) => {
      const current = values[key];
      return current !== undefined && keys?.includes(key) !== false && !satisfied(current, gid);
    })
    .map(({ key }) => key);
}

/** By key, the line of sysctl.d(5) for each setting that this kernel has; none is lowered. */
export function sysctlLines(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    sysctlRules.flatMap(({ key, wanted }) => {
      const current = values[key];
      return current === undefined ? [] : [[key, `${key}=${wanted(current)}`]];
    }),
  );
}

function exactly(key: string, value: string): SysctlRule {
  return { key, wanted: () => value, satisfied: (current) => current === value };
}

function atLeast(key: string, minimum: number, wanted = minimum): SysctlRule {
  return {
    key,
    wanted: (current) => String(Number(current) >= minimum ? current : wanted),
    satisfied: (current) => Number(current) >= minimum,
  };
}
