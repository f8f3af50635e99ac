import { joiningGroup, madeGroup, signers, type SigningRequest } from '#src/membership/approval.js';
import type { Member, Members, UsedToken } from '#src/membership/members.js';
import type { Reserved } from '#src/plan/types.js';

const nothing = { dns: [], ips: [], otherNames: 0 };

/** A host with a token for one node that wants to become node b. */
export const joining: SigningRequest = {
  uid: 'join-b',
  username: 'system:bootstrap:abcdef',
  groups: ['system:bootstrappers', joiningGroup],
  signerName: signers.kubelet,
  usages: ['digital signature', 'client auth'],
  requested: { subject: ['O=system:nodes', 'CN=system:node:b'], ...nothing },
  address: '192.0.2.11',
  createdAt: 1_000_000,
};

/** The same with a token that says when it was made. */
export function rejoining(madeAt?: number): SigningRequest {
  const made = madeAt === undefined ? [] : [`${madeGroup}${madeAt}`];
  return { ...joining, groups: [...joining.groups, ...made] };
}

/** Node b, which wants its further certificates, or its own again. */
export function ofNode(change: Partial<SigningRequest>): SigningRequest {
  const groups = ['system:nodes', 'system:authenticated'];
  return { ...joining, uid: 'of-b', username: 'system:node:b', groups, ...change };
}

export const serving = ofNode({
  signerName: signers.kubeletServer,
  usages: ['digital signature', 'server auth'],
  requested: { ...joining.requested, dns: ['b'], ips: ['192.0.2.11'] },
});

export const flannel = ofNode({
  signerName: signers.client,
  requested: { subject: ['O=usernetes:flannel', 'CN=usernetes:flannel:b'], ...nothing },
});

/** Of a control plane a at 192.0.2.10. */
export const reserved: Reserved = {
  hosts: [
    'kubernetes',
    'kubernetes.default.svc',
    'localhost',
    'a',
    '127.0.0.1',
    '::1',
    '10.0.0.1',
    '192.0.2.10',
  ],
  networks: ['10.5.0.0/16', '10.0.0.0/24'],
};

export function membersWith({
  nodes = {},
  removedAt = {},
  usedTokens = {},
}: {
  nodes?: Record<string, Member>;
  removedAt?: Record<string, number>;
  usedTokens?: Record<string, UsedToken>;
}): Members {
  return {
    nodes: new Map(Object.entries(nodes)),
    removedAt: new Map(Object.entries(removedAt)),
    usedTokens: new Map(Object.entries(usedTokens)),
    isAdopted: true,
    version: '1',
  };
}
