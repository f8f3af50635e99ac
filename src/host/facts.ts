import { appArmorProfile, restrictsNamespaces } from './apparmor.js';
import { parsePasswd, type Account } from './account.js';
import type { Host } from './host.js';
import { powerlessMapHelpers } from './map-helpers.js';
import { moduleStates } from './modules.js';
import { missingPackages, packageManager, type PackageManager, type RuntimeProgram } from './packages.js';
import { nftablesRoom, readSysctls } from './sysctls.js';
import { readSubIds, type SubIdRange } from './subid.js';
import { lingerFile, systemdFolder } from './systemd.js';

/** What init-host must know about a host to plan what is left to do. Plain data. */
export type HostFacts = {
  packageManager: PackageManager | undefined;
  missingPackages: string[];
  /** Paths of newuidmap and newgidmap that have lost their privileges. */
  powerlessMapHelpers: string[];
  /** Of the user to prepare; undefined while they don't exist. */
  account: Account | undefined;
  subUids: SubIdRange[];
  subGids: SubIdRange[];
  /** Devices that are missing or not open to everyone. */
  closedDevices: DeviceName[];
  udev: boolean;
  /** Current values of the kernel settings that matter to a node. */
  sysctls: Record<string, string>;
  /** Modules that are neither built in nor loaded, but can be loaded. */
  loadableModules: string[];
  /** Whether /run/user/<uid> is there and private; false while the user doesn't exist. */
  runtimeDir: boolean;
  /** Undefined where systemd doesn't run. */
  systemd: { delegates: boolean; lingers: boolean } | undefined;
  /** Whether AppArmor denies namespaces to programs without a profile, and the user's profile. */
  appArmor: { restricts: boolean; profile: string | undefined };
};

/** Character devices by path, with their numbers (Documentation/admin-guide/devices.txt). */
export const devices = {
  '/dev/net/tun': { major: 10, minor: 200, module: 'tun' },
  '/dev/fuse': { major: 10, minor: 229, module: 'fuse' },
} as const;
export type DeviceName = keyof typeof devices;

export const delegatedControllers = ['cpu', 'cpuset', 'io', 'memory', 'pids'];
export const dropInDirectory = '/etc/systemd/system/user@.service.d';

/** Reads the facts; changes nothing and needs no privileges. */
export async function gatherFacts(
  host: Host,
  options: { user: string; buildTools: boolean; runtimePrograms: readonly RuntimeProgram[] },
): Promise<HostFacts> {
  const [
    manager,
    powerless,
    legacy,
    account,
    subuids,
    subgids,
    closed,
    udev,
    settings,
    modules,
    systemd,
    restricts,
    profile,
  ] = await Promise.all([
    packageManager(host),
    powerlessMapHelpers(host),
    host.which('iptables-legacy'),
    host.run('getent', ['passwd', options.user]).then(({ stdout }) => parsePasswd(stdout, options.user)),
    readSubIds(host, '/etc/subuid'),
    readSubIds(host, '/etc/subgid'),
    closedDevices(host),
    host.stat('/run/udev/control'),
    readSysctls(host),
    moduleStates(host),
    systemdFacts(host, options.user),
    restrictsNamespaces(host),
    host.read(appArmorProfile(options.user, []).path),
  ]);
  // Debian's package includes the legacy programs; elsewhere iptables works on nf_tables alone.
  const legacyIptables =
    (manager === 'apt' || legacy !== undefined) && /available|loadable/.test(modules.ip_tables ?? '');
  const loadableModules = Object.entries(modules).flatMap(([name, state]) =>
    state === 'loadable' && (name !== 'ip_tables' || legacyIptables) ? [name] : [],
  );
  const { [nftablesRoom]: room, ...sysctls } = settings;
  const { buildTools, runtimePrograms } = options;
  return {
    packageManager: manager,
    // Debian's names where there is no package manager that we know: the error lists them.
    missingPackages: await missingPackages(host, manager ?? 'apt', {
      buildTools,
      moduleTools: loadableModules.length > 0,
      runtime: runtimePrograms,
    }),
    powerlessMapHelpers: powerless,
    account,
    subUids: subuids,
    subGids: subgids,
    closedDevices: closed,
    udev: udev !== undefined,
    sysctls: legacyIptables || room === undefined ? sysctls : settings,
    loadableModules,
    runtimeDir: account !== undefined && (await isPrivate(host, `/run/user/${account.uid}`, account.uid)),
    systemd,
    appArmor: { restricts, profile },
  };
}

async function isPrivate(host: Host, directory: string, uid: number): Promise<boolean> {
  const stats = await host.stat(directory);
  return stats !== undefined && stats.uid === uid && (stats.mode & 0o777) === 0o700;
}

async function closedDevices(host: Host): Promise<DeviceName[]> {
  const names = Object.keys(devices) as DeviceName[];
  const stats = await Promise.all(names.map((name) => host.stat(name)));
  return names.filter((_, index) => ((stats[index]?.mode ?? 0) & 0o666) !== 0o666);
}

async function systemdFacts(host: Host, user: string): Promise<HostFacts['systemd']> {
  if ((await host.stat(systemdFolder)) === undefined) return undefined;
  const [names, linger] = await Promise.all([host.list(dropInDirectory), host.stat(lingerFile(user))]);
  const dropIns = await Promise.all(names.map((name) => host.read(`${dropInDirectory}/${name}`)));
  return { delegates: dropIns.some((text) => delegates(text ?? '')), lingers: linger !== undefined };
}

function delegates(dropIn: string): boolean {
  const value = /^Delegate=(.*)$/m.exec(dropIn)?.[1]?.trim() ?? '';
  const listed = value.split(/\s+/);
  return /^(yes|true|1|on)$/.test(value) || delegatedControllers.every((name) => listed.includes(name));
}
