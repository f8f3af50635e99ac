import type { Fix } from '../lib/fixes.js';
import { prepare } from './check.js';
import type { Host } from './host.js';

type Manager = {
  program: string;
  /** ID or ID_LIKE in os-release(5). */
  distributions: string[];
  /** What a user types; names of packages follow. */
  install: string;
  /** For root's shell, without questions. */
  script: (names: string) => string;
};

const aptInstall = 'apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=60';

export const packageManagers = {
  apt: {
    program: 'apt-get',
    distributions: ['debian', 'ubuntu'],
    install: 'sudo apt-get install',
    script: (names) =>
      // Where package lists are missing or old, they are fetched first.
      `export DEBIAN_FRONTEND=noninteractive\n${aptInstall} ${names} || { apt-get update && ${aptInstall} ${names}; }`,
  },
  dnf: {
    program: 'dnf',
    distributions: ['fedora', 'rhel', 'centos'],
    install: 'sudo dnf install',
    script: (names) => `dnf install -y --setopt=install_weak_deps=False ${names}`,
  },
  zypper: {
    program: 'zypper',
    distributions: ['suse', 'opensuse'],
    install: 'sudo zypper install',
    script: (names) => `zypper --non-interactive install --no-recommends ${names}`,
  },
  pacman: {
    program: 'pacman',
    distributions: ['arch'],
    install: 'sudo pacman -S',
    script: (names) =>
      // Arch supports new lists only with a full upgrade, which is not ours to decide.
      `pacman -S --needed --noconfirm ${names} || { echo 'run pacman -Syu first'; exit 1; }`,
  },
} satisfies Record<string, Manager>;

export type PackageManager = keyof typeof packageManagers;

/** By program (or header, as an absolute path): the package that contains it, and its name where a distribution uses another. */
type PackageTable = Record<string, { package: string } & Partial<Record<PackageManager, string>>>;

export const neededPrograms = {
  newuidmap: { package: 'shadow', apt: 'uidmap', dnf: 'shadow-utils' },
  newgidmap: { package: 'shadow', apt: 'uidmap', dnf: 'shadow-utils' },
  slirp4netns: { package: 'slirp4netns' },
  iptables: { package: 'iptables', dnf: 'iptables-nft' },
  ip: { package: 'iproute2', dnf: 'iproute' },
  'fuse-overlayfs': { package: 'fuse-overlayfs' },
  ps: { package: 'procps', dnf: 'procps-ng', pacman: 'procps-ng' },
  sysctl: { package: 'procps', dnf: 'procps-ng', pacman: 'procps-ng' },
  mount: { package: 'util-linux', apt: 'mount' },
  nsenter: { package: 'util-linux' },
  unshare: { package: 'util-linux' },
  setpriv: { package: 'util-linux' },
} satisfies PackageTable;

/** By which root's commands keep the account from root's terminal and from root's keys. */
export const rootsPrograms = {
  script: { package: 'util-linux', apt: 'bsdutils', dnf: '/usr/bin/script' },
  keyctl: { package: 'keyutils' },
} satisfies PackageTable;

/** What only some container runtimes need on the host. */
export const runtimePrograms = {
  conmon: { package: 'conmon' },
  skopeo: { package: 'skopeo' },
} satisfies PackageTable;
export type RuntimeProgram = keyof typeof runtimePrograms;

const modulePrograms = { modprobe: { package: 'kmod' } } satisfies PackageTable;

/** What a build needs besides Go, where artifacts cannot be downloaded: to patch sources, and to compile runc's C. */
const buildPrograms = {
  patch: { package: 'patch' },
  gcc: { package: 'gcc' },
  'pkg-config': { package: 'pkg-config', dnf: 'pkgconf-pkg-config', pacman: 'pkgconf' },
  '/usr/include/stdio.h': { package: 'glibc-devel', apt: 'libc6-dev', pacman: 'glibc' },
  '/usr/include/seccomp.h': { package: 'libseccomp-devel', apt: 'libseccomp-dev', pacman: 'libseccomp' },
  '/etc/ssl/certs': { package: 'ca-certificates' },
} satisfies PackageTable;

/** Names of the packages whose programs are missing; sorted, each once. */
export async function missingPackages(
  host: Host,
  manager: PackageManager,
  extra: { buildTools: boolean; moduleTools: boolean; runtime: readonly RuntimeProgram[] },
): Promise<string[]> {
  const table: PackageTable = {
    ...neededPrograms,
    ...rootsPrograms,
    ...Object.fromEntries(extra.runtime.map((program) => [program, runtimePrograms[program]])),
    ...(extra.moduleTools ? modulePrograms : {}),
    ...(extra.buildTools ? buildPrograms : {}),
  };
  const missing = await Promise.all(
    Object.entries(table).map(async ([name, packages]) => {
      const found = name.startsWith('/') ? await host.stat(name) : await host.which(name);
      return found === undefined ? [packages[manager] ?? packages.package] : [];
    }),
  );
  return [...new Set(missing.flat())].sort();
}

/** The distribution's own, since others may be installed too; on an unknown distribution the first that is installed. */
export async function packageManager(host: Host): Promise<PackageManager | undefined> {
  const release = (await host.read('/etc/os-release')) ?? '';
  const families = [...release.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(([, ids]) =>
    ids?.split(' '),
  );
  const installed = await Promise.all(
    (Object.keys(packageManagers) as PackageManager[]).map(async (name) => {
      const { program, distributions } = packageManagers[name];
      if ((await host.which(program)) === undefined) return [];
      return [{ name, native: distributions.some((distribution) => families.includes(distribution)) }];
    }),
  );
  return (installed.flat().find(({ native }) => native) ?? installed.flat()[0])?.name;
}

/** What helps where a needed program is missing. */
export async function installFixes(host: Host, program: keyof typeof neededPrograms): Promise<Fix[]> {
  const names: PackageTable[string] = neededPrograms[program];
  const manager = await packageManager(host);
  const byHand =
    manager === undefined
      ? `install what Debian packages as ${names.apt ?? names.package}`
      : `${packageManagers[manager].install} ${names[manager] ?? names.package}`;
  return [prepare, byHand];
}
