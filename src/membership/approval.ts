import { nodeComponents } from '../pki/certificates.js';
import type { Requested } from '../pki/request.js';

/** A CertificateSigningRequest of the cluster, parsed. */
export type SigningRequest = {
  name: string;
  /** Who has made the request. */
  username: string;
  groups: readonly string[];
  signerName: string;
  usages: readonly string[];
  requested: Requested;
  /** Milliseconds since the epoch. */
  createdAt: number;
  state: 'pending' | 'approved' | 'denied';
};

/** The state of the cluster by which a request is judged. */
export type ClusterView = {
  /** From the names of all nodes to their addresses. */
  nodes: ReadonlyMap<string, readonly string[]>;
  /** When each node was last seen, including those that have left; milliseconds since the epoch. */
  seenAt: ReadonlyMap<string, number>;
  requests: readonly SigningRequest[];
};

/** `usedUp`: the token by which this node came, which must not admit another one. */
export type Verdict = { approve: true; usedUp?: string } | { deny: string };

/** The holders of every token are in the first group, those of a reusable token also in the second. */
export const joiningGroup = 'system:bootstrappers:usernetes';
export const reusableGroup = 'system:bootstrappers:usernetes:reusable';

export const signers = {
  kubelet: 'kubernetes.io/kube-apiserver-client-kubelet',
  kubeletServer: 'kubernetes.io/kubelet-serving',
  client: 'kubernetes.io/kube-apiserver-client',
} as const;

const ourSigners: ReadonlySet<string> = new Set(Object.values(signers));

const tokenUser = 'system:bootstrap:';
const nodeUser = 'system:node:';
/** Two tokens may name the same node at about the same time; a failed join must not reserve the name for long. */
const nameReservedMs = 60_000;

/** Undefined for a request that is not ours to answer. */
export function judge(request: SigningRequest, view: ClusterView): Verdict | undefined {
  if (request.username.startsWith(tokenUser) && request.groups.includes(joiningGroup)) {
    return judgeJoin(request, view);
  }
  if (request.username.startsWith(nodeUser) && request.groups.includes('system:nodes')) {
    return judgeNode(request, request.username.slice(nodeUser.length), view);
  }
  return undefined;
}

/** A token admits a kubelet with a free name, and nothing else. */
function judgeJoin(request: SigningRequest, { nodes, seenAt, requests }: ClusterView): Verdict {
  const name = nodeNameIn(request);
  if (request.signerName !== signers.kubelet || name === undefined) {
    return { deny: 'a token admits only the certificate of a kubelet' };
  }
  if (!isClient(request)) return { deny: 'a client certificate has no names besides its subject' };
  if (nodes.has(name)) return { deny: `the cluster has a node ${name} already` };
  const admitted = requests.filter(
    (other) =>
      other.name !== request.name && other.state === 'approved' && other.username.startsWith(tokenUser),
  );
  const before = admitted.find(({ username }) => username === request.username);
  if (before !== undefined && !request.groups.includes(reusableGroup)) {
    return { deny: `this token has been used, for node ${nodeNameIn(before)}` };
  }
  // A node that has joined since, and has left, is no longer joining.
  const leftAt = seenAt.get(name) ?? -Infinity;
  const rival = admitted.find(
    (other) =>
      nodeNameIn(other) === name &&
      other.createdAt > leftAt &&
      request.createdAt - other.createdAt < nameReservedMs,
  );
  return rival === undefined ? { approve: true } : { deny: `a node ${name} is joining with another token` };
}

/** A node may ask only for itself: by its own name, for its own components, and at an address that no other node has. */
function judgeNode(
  request: SigningRequest,
  node: string,
  { nodes, requests }: ClusterView,
): Verdict | undefined {
  if (!ourSigners.has(request.signerName)) return undefined;
  const admission = requests.find(
    (other) =>
      other.state === 'approved' && other.username.startsWith(tokenUser) && nodeNameIn(other) === node,
  );
  if (!nodes.has(node) && admission === undefined) return { deny: `the cluster has no node ${node}` };
  const fault = faultOf(request, node, nodes);
  if (fault !== undefined) return { deny: fault };
  const usedUp = admission?.groups.includes(reusableGroup) === false ? tokenOf(admission) : undefined;
  return { approve: true, ...(usedUp === undefined ? {} : { usedUp }) };
}

function faultOf(request: SigningRequest, node: string, nodes: ClusterView['nodes']): string | undefined {
  const { requested } = request;
  switch (request.signerName) {
    case signers.kubelet:
      if (nodeNameIn(request) !== node) return 'a node may ask only for itself';
      return isClient(request) ? undefined : 'a client certificate has no names besides its subject';
    case signers.client: {
      const own = nodeComponents.map((component) => [
        `O=usernetes:${component}`,
        `CN=usernetes:${component}:${node}`,
      ]);
      if (!own.some((subject) => same(subject, requested.subject)))
        return 'it is for no component of the node';
      return isClient(request) ? undefined : 'a client certificate has no names besides its subject';
    }
    default: {
      if (nodeNameIn(request) !== node) return 'a node may ask only for itself';
      if (!hasUsages(request, 'server auth')) return 'its usages are not those of a server';
      if (requested.otherNames > 0 || requested.dns.some((name) => name !== node)) {
        return 'a node has no names other than its own and its addresses';
      }
      const taken = requested.ips.find((ip) =>
        [...nodes].some(([other, addresses]) => other !== node && addresses.includes(ip)),
      );
      return taken === undefined ? undefined : `${taken} is the address of another node`;
    }
  }
}

/** The node that a requested certificate of a kubelet is for. */
function nodeNameIn({ requested: { subject } }: SigningRequest): string | undefined {
  const [organization, commonName = '', ...more] = subject;
  if (organization !== 'O=system:nodes' || more.length > 0) return undefined;
  const name = /^CN=system:node:([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)$/.exec(commonName)?.[1];
  return name;
}

/** `abcdef` of `system:bootstrap:abcdef`. */
function tokenOf({ username }: SigningRequest): string {
  return username.slice(tokenUser.length);
}

function isClient(request: SigningRequest): boolean {
  const { dns, ips, otherNames } = request.requested;
  return hasUsages(request, 'client auth') && dns.length + ips.length + otherNames === 0;
}

function hasUsages({ usages }: SigningRequest, purpose: string): boolean {
  const allowed = new Set([purpose, 'digital signature', 'key encipherment']);
  return usages.includes(purpose) && usages.every((usage) => allowed.has(usage));
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
