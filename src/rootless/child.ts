import { execFile } from 'node:child_process';
import { appendFile, lstat, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { serveDnsInNode } from './dns/in-node.js';
import { takeResolvConf } from './dns/node-resolver.js';
import type { DnsPlan } from './dns/on-host.js';
import { openInNode, type Door } from './doors.js';
import { hostPathsIn, keepHostPaths, type HostPath } from './host-paths.js';
import { hostNames } from './network.js';
import type { Netfilter } from './netfilter.js';
import { narrowView, type View } from './view.js';

/** What has to be arranged inside the namespaces before the first service starts. */
export type NamespaceSetup = {
  view: View;
  /** Folders in which pods find what the host has, and keep what they write. */
  hostPaths: HostPath[];
  /** Links that copy-up left to the host's own folders, which services must not follow. */
  remove: string[];
  /** Folders of the cluster's state put where programs expect them. */
  binds: { source: string; target: string }[];
  /** Fresh, empty and gone with the namespaces. */
  tmpfs: string[];
  /** By path: what is to be found there. */
  links: Record<string, string>;
  /** Below /proc/sys. */
  sysctls: Record<string, string>;
  /** Addresses in addition to that of the tap. */
  addresses: string[];
  /** Networks to which nothing is sent. */
  prohibited: string[];
  /** Lines added to /etc/hosts. */
  hosts: string[];
  /** Ports of the host's loopback. */
  doors: Door[];
  dns: DnsPlan;
  /** Carried out last, one after another. */
  commands: string[][];
};

/** What the node's network has that another's has not. */
export type NodeNetwork = {
  hostIp?: string;
  /** Of a node that has Services. */
  serviceCidr?: string;
  /** The host's address in the node, and the ports of it that the node reaches there. */
  hostAddress: string;
  doors: Door[];
  dns: DnsPlan;
  /** Whether link-local addresses outside are reached. */
  linkLocal: 'closed' | 'open';
};

/**
 * Where clouds serve a machine's credentials and user data: the link-local network, and the address of Amazon's service in
 * IPv6. An address of the node itself, such as that of a DNS cache, is still reached.
 */
const metadata = ['169.254.0.0/16', 'fd00:ec2::254/128'];

/** What a container runtime has in the namespaces. */
export type RuntimePlace = Pick<NamespaceSetup, 'remove' | 'binds' | 'links'>;

export type NodeFolders = Record<'kubelet' | 'cni' | 'podLogs' | 'volumes' | 'hostPaths', string>;

/** Where the volumes of pods are in every node's namespaces. It stands in PersistentVolumes, which never change. */
export const volumesFolder = '/var/lib/usernetes/volumes';

/** First on the PATH of everything in the namespaces: programs that the host has under another name. */
export const chosenPrograms = '/run/usernetes/sbin';

/** What a node's programs find in its namespaces, and what its container runtime finds in addition. */
export function namespaceSetup(
  folders: NodeFolders,
  runtime: RuntimePlace,
  view: View,
  netfilter: Netfilter,
  { hostIp, serviceCidr, hostAddress, doors, dns, linkLocal }: NodeNetwork,
): NamespaceSetup {
  return {
    view,
    hostPaths: hostPathsIn(folders.hostPaths),
    remove: [
      // The last is where runc keeps its containers when it is told nothing else, as by BuildKit and CRI-O.
      ...['netns', 'flannel', 'xtables.lock', 'runc'].map((name) => `/run/${name}`),
      ...['kubelet', 'cni', 'usernetes'].map((name) => `/var/lib/${name}`),
      '/opt/cni',
      ...runtime.remove,
    ],
    binds: [
      { source: folders.kubelet, target: '/var/lib/kubelet' },
      { source: folders.cni, target: '/var/lib/cni' },
      { source: folders.podLogs, target: '/var/log' },
      { source: folders.volumes, target: volumesFolder },
      ...runtime.binds,
    ],
    tmpfs: ['/run/netns'],
    links: { ...legacyIptables(netfilter), ...runtime.links },
    sysctls: { 'net/ipv4/ip_forward': '1' },
    // By the host's address other nodes know this one: the kubelet and pods must find it here as well.
    addresses: [...(hostIp === undefined ? [] : [hostIp]), hostAddress, dns.address],
    hosts: [`${hostAddress} ${hostNames.join(' ')}`],
    doors,
    dns,
    prohibited: linkLocal === 'closed' ? metadata : [],
    commands: serviceCidr === undefined ? [] : refuseUnserved(serviceCidr),
  };
}

/**
 * kube-proxy rewrites where packets to a Service go before they are filtered. One that still has the Service's address
 * would leave through the tap and be lost, and its sender wait: until kube-proxy has its rules, that is every pod which
 * wants the API.
 */
function refuseUnserved(serviceCidr: string): string[][] {
  return ['FORWARD', 'OUTPUT'].map((chain) => [
    'iptables',
    '-w',
    '-A',
    chain,
    '-d',
    serviceCidr,
    '-j',
    'REJECT',
  ]);
}

/** Everybody calls iptables by its plain name, and all of a node must use the same. */
function legacyIptables({ legacyFolder }: Netfilter): Record<string, string> {
  if (legacyFolder === undefined) return {};
  const programs = ['iptables', 'ip6tables'].flatMap((program) =>
    ['', '-save', '-restore'].map((suffix) => [
      join(chosenPrograms, `${program}${suffix}`),
      join(legacyFolder, `${program}-legacy${suffix}`),
    ]),
  );
  return Object.fromEntries(programs) as Record<string, string>;
}

const exec = promisify(execFile);

/** Carries the set-up out; runs as root of the namespaces. */
export async function setUpNamespaces(setup: NamespaceSetup): Promise<void> {
  const own = [...setup.remove, ...setup.binds.map(({ target }) => target)];
  await keepHostPaths(setup.hostPaths, own);
  await Promise.all(setup.remove.map(removeLink));
  const mount = async (target: string, args: string[]): Promise<void> => {
    await mkdir(target, { recursive: true });
    await exec('mount', [...args, target]);
  };
  await Promise.all([
    narrowView(setup.view),
    ...setup.binds.map(async ({ source, target }) => {
      await mkdir(source, { recursive: true, mode: 0o700 });
      await mount(target, ['--rbind', source]);
    }),
    ...setup.tmpfs.map((target) => mount(target, ['-t', 'tmpfs', '-o', 'mode=0755', 'none'])),
    ...Object.entries(setup.links).map(async ([path, target]) => {
      await mkdir(dirname(path), { recursive: true });
      await symlink(target, path);
    }),
    ...setup.addresses.map((address) => exec('ip', ['address', 'add', `${address}/32`, 'dev', 'lo'])),
    ...setup.prohibited.map(prohibit),
    ...Object.entries(setup.sysctls).map(([key, value]) => writeFile(`/proc/sys/${key}`, value)),
  ]);
  // As on a host with systemd: volumes are seen by the containers, and a pod with the whole host follows what is mounted.
  await exec('mount', ['--make-rshared', '/']);
  for (const [program = '', ...args] of setup.commands) await exec(program, args);
  await appendFile('/etc/hosts', setup.hosts.map((line) => `${line}\n`).join(''));
  await openInNode(setup.doors);
  await Promise.all([serveDnsInNode(setup.dns), takeResolvConf()]);
}

/** Copy-up leaves links to what the host has; anything else is the node's own, and may be data. */
async function removeLink(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink()) await rm(path);
}

/** A route rather than a rule of a packet filter: it is the same with all of these, and survives who empties them. */
async function prohibit(network: string): Promise<void> {
  const family = network.includes(':') ? '-6' : '-4';
  // Without IPv6 there is nothing to prohibit.
  if (family === '-6' && (await ipv6Off())) return;
  await exec('ip', [family, 'route', 'add', 'prohibit', network]);
}

async function ipv6Off(): Promise<boolean> {
  const off = await readFile('/proc/sys/net/ipv6/conf/lo/disable_ipv6', 'utf8').catch(() => '1');
  return off.trim() !== '0';
}
