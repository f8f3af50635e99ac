import { canonicalAddress } from '../lib/ip-address.js';

/**
 * Who belongs to the cluster, as the ConfigMap `kube-system/usernetes-members` records it. Of a node `a` there are the keys
 *
 *     node.a       { address, admittedAt, request, credentials }: admitted by a token, until it leaves
 *     removed.a    when `u7s node rm` took it out, until a token that was made later admits a node of that name again
 *     token.ID     { node, request, usedAt }: a token for one node, used for it
 *
 * and once `adopted`: nodes that had joined before there was the record have been taken into it. Times are in ISO 8601 there and
 * in milliseconds since the epoch here. config/manifests/nodes/members.yaml has the policies that read it.
 */
export type Members = {
  nodes: ReadonlyMap<string, Member>;
  removedAt: ReadonlyMap<string, number>;
  usedTokens: ReadonlyMap<string, UsedToken>;
  isAdopted: boolean;
  /** Of the ConfigMap; grows with each change. */
  version: string;
};

export type Member = {
  /** The only one for which it gets a server certificate; none if it was found to be another's. */
  address?: string;
  admittedAt: number;
  /** UID of the request by which it came; none of a node that was adopted. */
  request?: string;
  /** The latest certificates of its kubelet as the API server names them; unknown of a node that was adopted. */
  credentials?: readonly string[];
};

export type UsedToken = { node: string; request: string; usedAt: number };

/** Values of the ConfigMap, to be changed together; null removes. */
export type MemberChange = Record<string, string | null>;

export type MemberMap = { metadata: { resourceVersion: string }; data?: Record<string, string> };

const namespace = '/api/v1/namespaces/kube-system/configmaps';
const name = 'usernetes-members';
export const membersPath = `${namespace}/${name}`;
/** As a collection of one, to watch. */
export const membersCollection = `${namespace}?fieldSelector=metadata.name%3D${name}`;

export function readMembers({ metadata, data = {} }: MemberMap): Members {
  const nodes = new Map<string, Member>();
  const removedAt = new Map<string, number>();
  const usedTokens = new Map<string, UsedToken>();
  for (const [key, value] of Object.entries(data)) {
    const [kind, id = ''] = key.split('.', 2);
    const fields = kind === 'node' || kind === 'token' ? parseFields(value) : {};
    const at = (field: string): number => Date.parse(fields[field] ?? '') || 0;
    if (kind === 'node') nodes.set(id, memberOf(fields, at('admittedAt')));
    if (kind === 'removed') removedAt.set(id, Date.parse(value) || Infinity);
    if (kind === 'token') {
      const { node = '', request = '' } = fields;
      usedTokens.set(id, { node, request, usedAt: at('usedAt') });
    }
  }
  return { nodes, removedAt, usedTokens, isAdopted: 'adopted' in data, version: metadata.resourceVersion };
}

function memberOf({ address, request, credentials }: Record<string, string>, admittedAt: number): Member {
  return {
    admittedAt,
    ...(credentials === undefined ? {} : { credentials: credentials.split(' ') }),
    ...(address === undefined ? {} : { address }),
    ...(request === undefined ? {} : { request }),
  };
}

/** A value that somebody has spoilt says nothing, which allows nothing. */
function parseFields(value: string): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed !== 'object' || parsed === null) return {};
    const fields: [string, unknown][] = Object.entries(parsed);
    return Object.fromEntries(
      fields.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
    );
  } catch {
    return {};
  }
}

export type Admission = {
  node: string;
  address: string;
  /** UID of its request. */
  request: string;
  /** The token, if it is for one node only. */
  usedToken?: string;
};

export function admissionChange({ node, address, request, usedToken }: Admission, now: number): MemberChange {
  return {
    ...memberChange(node, { address, request, admittedAt: now }),
    [`removed.${node}`]: null,
    ...(usedToken === undefined
      ? {}
      : { [`token.${usedToken}`]: JSON.stringify({ node, request, usedAt: iso(now) }) }),
  };
}

export function removalChange(node: string, now: number): MemberChange {
  return { [`removed.${node}`]: iso(now) };
}

/** The node has left, or has never come: its certificates are of no use any more, and its name is free. */
export function departureChange(node: string): MemberChange {
  return { [`node.${node}`]: null };
}

export function forgottenTokenChange(id: string): MemberChange {
  return { [`token.${id}`]: null };
}

/** What a Node says of itself. */
export type PresentNode = { name: string; addresses: readonly string[]; createdAt: number };

/**
 * Takes the nodes that had joined before there was a record into it, with the addresses that they have. Of two that claim one
 * address the older gets it.
 */
export function adoptionChange(
  present: readonly PresentNode[],
  mayBeOfNode: (address: string) => boolean,
  now: number,
): MemberChange {
  const taken = new Set<string>();
  const change: MemberChange = { adopted: iso(now) };
  for (const { name, addresses } of [...present].sort((a, b) => a.createdAt - b.createdAt)) {
    if (name.includes('.')) continue;
    const address = addresses
      .flatMap((text) => canonicalAddress(text) ?? [])
      .find((each) => !taken.has(each) && mayBeOfNode(each));
    if (address !== undefined) taken.add(address);
    Object.assign(
      change,
      memberChange(name, { admittedAt: now, ...(address === undefined ? {} : { address }) }),
    );
  }
  return change;
}

/** More than a node has in use while it replaces one. */
const credentialsKept = 8;

/** The credentials of a member with those that it was `issued`, the oldest first; undefined if all are recorded. */
export function credentialChange(
  node: string,
  member: Member,
  issued: readonly string[],
): MemberChange | undefined {
  const { credentials: before = [] } = member;
  const credentials = [...before.filter((each) => !issued.includes(each)), ...issued].slice(-credentialsKept);
  if (credentials.every((each) => before.includes(each))) return undefined;
  return memberChange(node, { ...member, credentials });
}

function memberChange(node: string, { admittedAt, credentials, ...rest }: Member): MemberChange {
  const value = {
    ...rest,
    admittedAt: iso(admittedAt),
    ...(credentials === undefined ? {} : { credentials: credentials.join(' ') }),
  };
  return { [`node.${node}`]: JSON.stringify(value) };
}

const iso = (time: number): string => new Date(time).toISOString();
