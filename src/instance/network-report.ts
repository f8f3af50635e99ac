import { u7s, type Fix } from '../lib/fixes.js';

/** One thing that was tried between two nodes. */
export type Finding = { ok: boolean; error?: string; mtu?: number; bitsPerSecond?: number };

export const trials = ['pod', 'clusterIP', 'nodePort', 'dns', 'transfer', 'throughput'] as const;
export type Trial = (typeof trials)[number];

export type NodeInfo = { name: string; address: string };

/** From a pod of one node to a pod of another, or of the same. */
export type PairReport = { from: string; to: string } & Record<Trial, Finding> & {
    /** What is most likely wrong; missing where nothing is. */
    cause?: string;
    /** What to do about it. */
    fixes?: readonly Fix[];
  };

/** The probes of build/netcheck, in the order of `trials`. */
export function probesTo(target: {
  pod: string;
  podAddress: string;
  clusterAddress: string;
  nodeAddress: string;
  nodePort: number;
  dnsName: string;
}): object[] {
  const { pod, podAddress, clusterAddress, nodeAddress, nodePort, dnsName } = target;
  const connect = (address: string): object => ({
    kind: 'connect',
    target: address,
    expect: pod,
    within: 8_000,
  });
  return [
    connect(`${podAddress}:8080`),
    connect(`${clusterAddress}:80`),
    connect(`${nodeAddress}:${nodePort}`),
    { kind: 'resolve', target: dnsName, within: 8_000 },
    { kind: 'transfer', target: `${podAddress}:8080`, bytes: 4_000_000, within: 10_000 },
    { kind: 'throughput', target: `${podAddress}:8080`, within: 500 },
  ];
}

export function pairReport(
  from: NodeInfo,
  to: NodeInfo,
  findings: readonly Finding[],
  flannelPort: number,
): PairReport {
  const found = Object.fromEntries(
    trials.map((trial, index) => [trial, findings[index] ?? { ok: false, error: 'not tried' }]),
  ) as Record<Trial, Finding>;
  const cause = likelyCause(from, to, found, flannelPort);
  return { from: from.name, to: to.name, ...found, ...cause };
}

type Cause = Required<Pick<PairReport, 'cause' | 'fixes'>>;

/** The first that fails explains those after it. */
function likelyCause(
  from: NodeInfo,
  to: NodeInfo,
  { pod, clusterIP, nodePort, dns, transfer, throughput }: Record<Trial, Finding>,
  flannelPort: number,
): Cause | undefined {
  // A report cannot know on which of the nodes it is read.
  const on = (node: NodeInfo, ...args: string[]): Fix =>
    u7s(args, { on: 'other-node', text: `node ${node.name}` });
  if (!pod.ok && from.name === to.name) {
    return { cause: 'pods of one node do not reach each other', fixes: [on(to, 'logs', 'flannel')] };
  }
  if (!pod.ok) {
    return {
      cause: `UDP port ${flannelPort} does not get from ${from.address} to ${to.address}: a firewall blocks it, or flannel is not ready on ${to.name}`,
      fixes: [on(to, 'status'), on(to, 'logs', 'flannel')],
    };
  }
  if (!transfer.ok || !throughput.ok) {
    return {
      cause: 'small packets arrive and large ones do not: the network between the hosts loses fragments',
      fixes: ['start all nodes with mtu: 1450 in the description of the cluster'],
    };
  }
  if (!clusterIP.ok) {
    return { cause: `kube-proxy does not work on ${from.name}`, fixes: [on(from, 'logs', 'kube-proxy')] };
  }
  if (!nodePort.ok) {
    return {
      cause: `the node port is not published on ${to.address}, or a firewall blocks it`,
      fixes: [on(to, 'ports', '--why')],
    };
  }
  if (!dns.ok) {
    return {
      cause: `the cluster DNS is not reachable from ${from.name}`,
      fixes: [u7s(['kubectl', '-n', 'kube-system', 'get', 'pods', '-o', 'wide'])],
    };
  }
  return undefined;
}

export const isSound = (pair: PairReport): boolean => trials.every((trial) => pair[trial].ok);

/** Nobody of the node could be asked. */
export function mute(from: NodeInfo, nodes: readonly NodeInfo[], error: string): PairReport[] {
  const failed = { ok: false, error };
  return nodes.map((to) => ({
    from: from.name,
    to: to.name,
    ...(Object.fromEntries(trials.map((trial) => [trial, failed])) as Record<Trial, Finding>),
    cause: `the API server does not reach the kubelet of ${from.name} at ${from.address}: ${error}`,
  }));
}
