import type { Host } from './host.js';
import { chooseNetfilter, netfilterProbes, type Netfilter } from '../rootless/netfilter.js';
import { runInNamespaces, type TrialUser } from './trial-namespace.js';

/**
 * What a node does in its namespaces, as scripts that sh runs as their root, in this order. `$scratch` is a folder below
 * the state directory, since that file system is the one that matters.
 */
const probes = {
  proc: 'mount -t proc proc /proc',
  sysfs: 'mkdir "$scratch/sys" && mount -t sysfs sysfs "$scratch/sys"',
  forwarding: 'echo 1 >/proc/sys/net/ipv4/ip_forward',
  owners: 'touch "$scratch/owned" && chown 1:1 "$scratch/owned"',
  overlay: overlay('overlay', 'mount -t overlay overlay -o userxattr,'),
  fuse: overlay('fuse', 'fuse-overlayfs -o '),
  bridge: 'ip link add trial-bridge type bridge',
  veth: 'ip link add trial-veth type veth peer name trial-peer',
  vxlan: 'ip link add trial-vxlan type vxlan id 1 dstport 8472',
  tap: 'ip tuntap add dev trial-tap mode tap',
  'bridge-netfilter': 'grep -x 1 /proc/sys/net/bridge/bridge-nf-call-iptables',
};
export type Probe = keyof typeof probes | keyof typeof netfilterProbes;

/** What really happens when a node's namespaces are created. */
export type NamespaceTrial = {
  /** Why there can be none; then nothing else was tried. */
  refused: string | undefined;
  /** What went wrong, by probe. */
  faults: Partial<Record<Probe, string>>;
  netfilter: Netfilter | undefined;
};

/** Generous, since the host's speed is not on trial: an emulated one takes seconds. */
const limitMs = 60_000;

/** Creates the namespaces and tries everything in them, in about 100 ms. */
export async function tryNamespace(
  host: Host,
  user: TrialUser,
  directory: string,
  signal: AbortSignal = AbortSignal.timeout(limitMs),
): Promise<NamespaceTrial> {
  const [outcome, legacy] = await Promise.all([
    runInNamespaces(host, user, { directory, script, signal }),
    host.which('iptables-legacy'),
  ]);
  if (outcome.refused !== undefined) return { refused: outcome.refused, faults: {}, netfilter: undefined };
  const faults = parseFaults(outcome.printed);
  return { refused: undefined, faults, netfilter: chooseNetfilter(faults, legacy) };
}

const script = [
  'scratch=$1',
  String.raw`tell() { printf '%s\t%s\n' "$1" "$(printf %s "$2" | tr '\n' ' ')"; }`,
  ...Object.entries(probes).map(([name, probe]) => attempt(name, probe)),
  // The first that works is used; the others need not be tried.
  Object.entries(netfilterProbes)
    .map(([name, probe]) => attempt(name, probe))
    .join(' ||\n'),
  'echo done',
].join('\n');

function attempt(name: string, probe: string): string {
  return `{ said=$( { ${probe}\n} 2>&1 ) || { tell ${name} "$said"; false; }; }`;
}

function parseFaults(printed: string): NamespaceTrial['faults'] {
  const lines = printed.trimEnd().split('\n');
  const ended = lines.pop() === 'done';
  const faults = lines.map((line) => line.split('\t') as [Probe, string]);
  if (!ended) throw new Error('the trial of namespaces ended early');
  return Object.fromEntries(faults.map(([probe, said]) => [probe, said.trim() || 'failed']));
}

function overlay(name: string, mount: string): string {
  const folders = ['lower', 'upper', 'work', 'merged'].map((folder) => `"$scratch/${name}/${folder}"`);
  const options = ['lower', 'upper', 'work'].map((folder) => `${folder}dir=$scratch/${name}/${folder}`);
  return `mkdir -p ${folders.join(' ')} && ${mount}"${options.join(',')}" ${folders.at(-1)}`;
}
