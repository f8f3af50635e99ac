import { cidrContains } from '../lib/cidr.js';
import { canonicalAddress, isHostAddress } from '../lib/ip-address.js';
import { nodeComponents } from '../pki/certificates.js';
import type { Requested } from '../pki/request.js';
import type { Reserved } from '../plan/types.js';
import type { Admission, Members } from './members.js';

/** A CertificateSigningRequest of the cluster, parsed. */
export type SigningRequest = {
  uid: string;
  /** Who has made the request. */
  username: string;
  groups: readonly string[];
  /** The certificate with which it was made, as the API server names it. */
  credential?: string;
  signerName: string;
  usages: readonly string[];
  requested: Requested;
  /** The address that a node which joins says it has: the annotation `addressAnnotation`. */
  address?: string;
  /** Milliseconds since the epoch. */
  createdAt: number;
};

/** The state of the cluster by which a request is judged. */
export type ClusterView = {
  /** The names of all nodes. */
  nodes: ReadonlySet<string>;
  members: Members;
  reserved: Reserved;
};

export type Verdict = Approval | { deny: string };
/** `admission`: what is to be recorded before the request is approved. */
export type Approval = { approve: true; admission?: Admission };

/** The holders of every token are in the first group, those of a reusable token also in the second. */
export const joiningGroup = 'system:bootstrappers:usernetes';
export const reusableGroup = 'system:bootstrappers:usernetes:reusable';
/** Followed by the time at which the token was made, in milliseconds since the epoch. */
export const madeGroup = 'system:bootstrappers:usernetes:made:';
export const addressAnnotation = 'usernetes/address';

export const signers = {
  kubelet: 'kubernetes.io/kube-apiserver-client-kubelet',
  kubeletServer: 'kubernetes.io/kubelet-serving',
  client: 'kubernetes.io/kube-apiserver-client',
} as const;

const tokenUser = 'system:bootstrap:';
const nodeUser = 'system:node:';
/** Two tokens may name the same node at about the same time; a failed join must not reserve the name for long. */
const nameReservedMs = 60_000;

/** Undefined for a request that is not ours to answer. */
export function judge(request: SigningRequest, view: ClusterView): Verdict | undefined {
  if (request.groups.includes(joiningGroup)) return judgeJoin(request, view);
  if (request.groups.includes('system:nodes')) return judgeNode(request, view);
  return undefined;
}

/** A token admits a kubelet with a free name, at an address that is free, and nothing else. */
function judgeJoin(request: SigningRequest, { nodes, members, reserved }: ClusterView): Verdict {
  const { uid, username, groups } = request;
  const name = nodeNameIn(request);
  if (!username.startsWith(tokenUser)) return { deny: 'it was not made with a token' };
  if (request.signerName !== signers.kubelet || name === undefined)
    return { deny: 'a token admits only the certificate of a kubelet' };
  const namesFault = clientFault(request);
  if (namesFault !== undefined) return { deny: namesFault };
  if (nodes.has(name)) return { deny: `the cluster has a node ${name} already` };
  if (reserved.hosts.includes(name)) return { deny: `${name} is a name of the API server` };
  const removedAt = members.removedAt.get(name);
  if (removedAt !== undefined && madeAt(request) <= removedAt)
    return { deny: `node ${name} was removed from the cluster after this token was made` };

  const token = username.slice(tokenUser.length);
  const isReusable = groups.includes(reusableGroup);
  const used = members.usedTokens.get(token);
  if (!isReusable && used !== undefined && used.request !== uid)
    return { deny: `this token has been used, for node ${used.node}` };
  const rival = members.nodes.get(name);
  if (rival !== undefined && rival.request !== uid && request.createdAt - rival.admittedAt < nameReservedMs)
    return { deny: `a node ${name} is joining with another token` };

  const address = canonicalAddress(request.address ?? '');
  if (address === undefined)
    return {
      deny: 'the request does not say which address the node has; its version of Usernetes is too old',
    };
  const fault = addressFault(address, reserved) ?? takenBy(address, name, members);
  if (fault !== undefined) return { deny: fault };
  return {
    approve: true,
    admission: { node: name, address, request: uid, ...(isReusable ? {} : { usedToken: token }) },
  };
}

/** A member may ask only for itself: by its own name, for its own components, and at its own address. */
function judgeNode(request: SigningRequest, { members }: ClusterView): Verdict {
  const node = nodeOf(request.username) ?? '';
  if (members.removedAt.has(node)) return { deny: `node ${node} was removed from the cluster` };
  const member = members.nodes.get(node);
  if (member === undefined) return { deny: `the cluster has no node ${node}` };
  const { credentials, address } = member;
  if (credentials !== undefined && !credentials.includes(request.credential ?? ''))
    return { deny: `it was made with a certificate that node ${node} had before it joined anew` };
  const fault = faultOf(request, node, address);
  return fault === undefined ? { approve: true } : { deny: fault };
}

function faultOf(request: SigningRequest, node: string, address: string | undefined): string | undefined {
  const { requested, signerName } = request;
  switch (signerName) {
    case signers.kubelet:
      if (nodeNameIn(request) !== node) return 'a node may ask only for itself';
      return clientFault(request);
    case signers.client: {
      const own = nodeComponents.map((component) => [
        `O=usernetes:${component}`,
        `CN=usernetes:${component}:${node}`,
      ]);
      if (!own.some((subject) => same(subject, requested.subject)))
        return 'it is for no component of the node';
      return clientFault(request);
    }
    case signers.kubeletServer:
      if (nodeNameIn(request) !== node) return 'a node may ask only for itself';
      if (!hasUsages(request, 'server auth')) return 'its usages are not those of a server';
      if (requested.otherNames > 0 || requested.dns.some((name) => name !== node))
        return 'a node has no names other than its own and its addresses';
      if (address === undefined)
        return `no address of node ${node} is recorded; it has to leave and join anew`;
      return requested.ips.every((ip) => canonicalAddress(ip) === address)
        ? undefined
        : `${requested.ips.join(', ')} is not the address with which node ${node} has joined, ${address}`;
    default:
      return `nodes get no certificates of ${signerName}`;
  }
}

/** The node as which somebody acts, by its kubelet's certificate. */
export function nodeOf(username: string): string | undefined {
  return username.startsWith(nodeUser) ? username.slice(nodeUser.length) : undefined;
}

/** Why no node can have the address. */
export function addressFault(address: string, { hosts, networks }: Reserved): string | undefined {
  if (!isHostAddress(address)) return `${address} is not an address by which other hosts reach a node`;
  if (hosts.some((host) => canonicalAddress(host) === address))
    return `${address} is an address of the API server`;
  const network = networks.find((each) => cidrContains(each, address));
  return network === undefined ? undefined : `${address} is in ${network}, a network inside the cluster`;
}

function takenBy(address: string, node: string, { nodes }: Members): string | undefined {
  const [other] = [...nodes].find(([name, member]) => name !== node && member.address === address) ?? [];
  return other === undefined ? undefined : `${address} is the address of node ${other}`;
}

/** The node that a requested certificate of a kubelet is for. */
function nodeNameIn({ requested: { subject } }: SigningRequest): string | undefined {
  const [organization, commonName = '', ...more] = subject;
  if (organization !== 'O=system:nodes' || more.length > 0) return undefined;
  return /^CN=system:node:([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)$/.exec(commonName)?.[1];
}

/** When the token was made; one that does not say it is older than everything. */
function madeAt({ groups }: SigningRequest): number {
  const times = groups.flatMap((group) =>
    group.startsWith(madeGroup) ? [group.slice(madeGroup.length)] : [],
  );
  if (times.length === 0) return 0;
  return Math.min(...times.map((time) => (/^\d{1,15}$/.test(time) ? Number(time) : 0)));
}

/** Why it is not for a client certificate. */
function clientFault(request: SigningRequest): string | undefined {
  const { dns, ips, otherNames } = request.requested;
  return hasUsages(request, 'client auth') && dns.length + ips.length + otherNames === 0
    ? undefined
    : 'a client certificate has no names besides its subject';
}

function hasUsages({ usages }: SigningRequest, purpose: string): boolean {
  const allowed = new Set([purpose, 'digital signature', 'key encipherment']);
  return usages.includes(purpose) && usages.every((usage) => allowed.has(usage));
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
