import test from 'ava';
import {
  joiningGroup,
  judge,
  reusableGroup,
  signers,
  type SigningRequest,
} from '#src/membership/approval.js';

const nothing = { dns: [], ips: [], otherNames: 0 };
const clientUsages = ['digital signature', 'client auth'];

/** A host with a token that wants to become node b. */
const joining: SigningRequest = {
  name: 'join-b',
  username: 'system:bootstrap:abcdef',
  groups: ['system:bootstrappers', joiningGroup],
  signerName: signers.kubelet,
  usages: clientUsages,
  requested: { subject: ['O=system:nodes', 'CN=system:node:b'], ...nothing },
  createdAt: 1_000_000,
  state: 'pending',
};
const joined: SigningRequest = { ...joining, state: 'approved' };

/** Node b, which wants its further certificates. */
const asNode = (change: Partial<SigningRequest>): SigningRequest => ({
  ...joining,
  name: 'of-b',
  username: 'system:node:b',
  groups: ['system:nodes'],
  ...change,
});
const serving = asNode({
  signerName: signers.kubeletServer,
  usages: ['digital signature', 'server auth'],
  requested: { ...joining.requested, dns: ['b'], ips: ['192.0.2.11'] },
});
const flannel = asNode({
  signerName: signers.client,
  requested: { subject: ['O=usernetes:flannel', 'CN=usernetes:flannel:b'], ...nothing },
});

const nodes = new Map([['a', ['192.0.2.10']]]);
const withB = new Map([...nodes, ['b', ['192.0.2.11']]]);
const seenAt = new Map<string, number>();
const alone = { nodes, seenAt, requests: [joining] };
const asMember = { nodes: withB, seenAt, requests: [] };

test('a token admits a kubelet of a new name', (t) => {
  t.deepEqual(judge(joining, alone), { approve: true });
});

const strange: Record<string, [change: Partial<SigningRequest>, reason: RegExp]> = {
  'a node that is there already': [
    { requested: { ...joining.requested, subject: ['O=system:nodes', 'CN=system:node:a'] } },
    /has a node a already/,
  ],
  'an administrator': [
    { requested: { ...joining.requested, subject: ['O=system:masters', 'CN=kubernetes-admin'] } },
    /only the certificate of a kubelet/,
  ],
  'a node that is an administrator as well': [
    {
      requested: {
        ...joining.requested,
        subject: ['O=system:nodes', 'O=system:masters', 'CN=system:node:b'],
      },
    },
    /only the certificate of a kubelet/,
  ],
  'a client of another kind': [{ signerName: signers.client }, /only the certificate of a kubelet/],
  'a server': [{ usages: ['server auth'] }, /no names besides its subject/],
  'names beside the subject': [
    { requested: { ...joining.requested, dns: ['kubernetes'] } },
    /no names besides its subject/,
  ],
};
for (const [what, [change, reason]] of Object.entries(strange)) {
  test(`a token does not make ${what}`, (t) => {
    const verdict = judge({ ...joining, ...change }, alone);
    t.true(verdict !== undefined && 'deny' in verdict && reason.test(verdict.deny));
  });
}

test('a token that has admitted a node admits no other', (t) => {
  const second = {
    ...joining,
    name: 'join-c',
    requested: { ...joining.requested, subject: ['O=system:nodes', 'CN=system:node:c'] },
  };
  const view = { nodes, seenAt, requests: [joined, second] };
  t.deepEqual(judge(second, view), { deny: 'this token has been used, for node b' });
  const reusable = { ...second, groups: [...second.groups, reusableGroup] };
  t.deepEqual(judge(reusable, view), { approve: true });
});

test('of two tokens that name the same node at the same time one is refused, but not for long', (t) => {
  const rival = { ...joining, name: 'join-b-too', username: 'system:bootstrap:uvwxyz' };
  const view = { nodes, seenAt, requests: [joined, rival] };
  t.deepEqual(judge(rival, view), { deny: 'a node b is joining with another token' });
  t.deepEqual(judge({ ...rival, createdAt: joined.createdAt + 60_000 }, view), { approve: true });
});

test('a node that has left may join again at once', (t) => {
  const again = { ...joining, name: 'join-b-again', createdAt: joined.createdAt + 5_000 };
  const reusable = { ...again, groups: [...again.groups, reusableGroup] };
  const left = { nodes, seenAt: new Map([['b', joined.createdAt + 2_000]]), requests: [joined, reusable] };
  t.deepEqual(judge(reusable, left), { approve: true });
  const rival = { ...reusable, name: 'join-b-too', createdAt: joined.createdAt + 6_000 };
  const both = { ...left, requests: [joined, { ...reusable, state: 'approved' } as const, rival] };
  t.deepEqual(judge(rival, both), { deny: 'a node b is joining with another token' });
});

test('a node gets the certificates of its own components, and its token ends with the first', (t) => {
  const fresh = { nodes, seenAt, requests: [joined] };
  t.deepEqual(judge(serving, fresh), { approve: true, usedUp: 'abcdef' });
  t.deepEqual(judge(flannel, fresh), { approve: true, usedUp: 'abcdef' });
  t.deepEqual(judge(flannel, asMember), { approve: true });
});

test('a reusable token goes on', (t) => {
  const reusable = { ...joined, groups: [...joined.groups, reusableGroup] };
  t.deepEqual(judge(flannel, { nodes, seenAt, requests: [reusable] }), { approve: true });
});

test('a node renews the certificate of its kubelet', (t) => {
  t.deepEqual(judge(asNode({}), asMember), { approve: true });
});

const overreaching: Record<string, SigningRequest> = {
  'for the kubelet of another': asNode({
    requested: { ...joining.requested, subject: ['O=system:nodes', 'CN=system:node:a'] },
  }),
  'for a component of another': {
    ...flannel,
    requested: { ...nothing, subject: ['O=usernetes:flannel', 'CN=usernetes:flannel:a'] },
  },
  'with the rights of another component': {
    ...flannel,
    requested: { ...nothing, subject: ['O=system:masters', 'CN=usernetes:flannel:b'] },
  },
  'as a server at the address of another': {
    ...serving,
    requested: { ...serving.requested, ips: ['192.0.2.10'] },
  },
  'as a server of another name': {
    ...serving,
    requested: { ...serving.requested, dns: ['b', 'kubernetes'] },
  },
  'as a server that is a client too': { ...serving, usages: [...serving.usages, 'client auth'] },
};
for (const [what, request] of Object.entries(overreaching)) {
  test(`a node gets no certificate ${what}`, (t) => {
    const verdict = judge(request, asMember);
    t.true(verdict !== undefined && 'deny' in verdict);
  });
}

test('a node that was removed gets nothing any more', (t) => {
  t.deepEqual(judge(asNode({}), { nodes, seenAt, requests: [] }), { deny: 'the cluster has no node b' });
});

test('requests of people, and those for other signers, are left to others', (t) => {
  t.is(judge({ ...joining, username: 'jane', groups: [] }, alone), undefined);
  t.is(judge(asNode({ signerName: 'example.com/own' }), asMember), undefined);
});
