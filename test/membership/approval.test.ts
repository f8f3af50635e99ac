import test from 'ava';
import { joiningGroup, judge, madeGroup, reusableGroup, type ClusterView } from '#src/membership/approval.js';
import { flannel, joining, membersWith, ofNode, rejoining, reserved, serving } from './requests.js';

/** A control plane a, and nothing else. */
const alone: ClusterView = { nodes: new Set(['a']), members: membersWith({}), reserved };
const b = { address: '192.0.2.11', admittedAt: 1_000_000, request: 'join-b' };
const asMember: ClusterView = {
  ...alone,
  nodes: new Set(['a', 'b']),
  members: membersWith({ nodes: { b, c: { address: '192.0.2.12', admittedAt: 0 } } }),
};
const approved = { approve: true };
const isDenied = (verdict: ReturnType<typeof judge>): boolean => verdict !== undefined && 'deny' in verdict;

test('a token admits a kubelet of a new name, at the address that it says; a token for one node is then used', (t) => {
  const admission = { node: 'b', address: '192.0.2.11', request: 'join-b', usedToken: 'abcdef' };
  t.deepEqual(judge(joining, alone), { approve: true, admission });
  const reusable = { ...joining, groups: [...joining.groups, reusableGroup] };
  t.deepEqual(judge(reusable, alone), {
    approve: true,
    admission: { node: 'b', address: '192.0.2.11', request: 'join-b' },
  });
});

const named = (node: string, organization = 'system:nodes') => ({
  requested: { ...joining.requested, subject: [`O=${organization}`, `CN=system:node:${node}`] },
});
const strange: Record<string, Partial<typeof joining>> = {
  'a node that is there already': named('a'),
  'an administrator': { requested: { ...joining.requested, subject: ['O=system:masters', 'CN=admin'] } },
  'a node that is an administrator as well': {
    requested: {
      ...joining.requested,
      subject: ['O=system:nodes', 'O=system:masters', 'CN=system:node:b'],
    },
  },
  'a node of two names': {
    requested: { ...joining.requested, subject: [...joining.requested.subject, 'CN=system:node:c'] },
  },
  'a client of another kind': { signerName: 'kubernetes.io/kube-apiserver-client' },
  'a certificate of another signer': { signerName: 'example.com/own' },
  'a server': { usages: ['server auth'] },
  'names beside the subject': { requested: { ...joining.requested, dns: ['kubernetes'] } },
  'anything for one who has no token': { username: 'jane' },
  'a node called kubernetes': named('kubernetes'),
  'a node called localhost': named('localhost'),
  'a node called by a name in DNS': named('kubernetes.default.svc'),
  'a node whose name is no label': named('b-'),
  'a node without an address': { address: '' },
  'a node at the address of the API server': { address: '192.0.2.10' },
  'a node at the IPv4-mapped address of the API server': { address: '::ffff:192.0.2.10' },
  'a node at that address in hexadecimal': { address: '::ffff:c000:20a' },
  'a node at the address of the Service kubernetes': { address: '10.0.0.1' },
  'a node at an address of a Service': { address: '10.0.0.77' },
  'a node at the address of a pod': { address: '10.5.0.7' },
  'a node at a loopback address': { address: '127.0.0.9' },
  'a node at an address of nobody': { address: '0.0.0.0' },
  'a node at a link-local address': { address: '169.254.169.254' },
  'a node at an IPv6 address': { address: '2001:db8::1' },
  'a node at what is no address': { address: '192.0.2' },
};
for (const [what, change] of Object.entries(strange)) {
  test(`a token does not make ${what}`, (t) => t.true(isDenied(judge({ ...joining, ...change }, alone))));
}

test('the address of another node, however it is spelt, is taken', (t) => {
  for (const address of ['192.0.2.12', '::ffff:192.0.2.12'])
    t.true(isDenied(judge({ ...joining, ...named('d'), address }, asMember)), address);
});

test('a token for one node admits no other, whatever became of the first request', (t) => {
  const usedTokens = { abcdef: { node: 'b', request: 'join-b', usedAt: 1_000_000 } };
  const used = { ...alone, members: membersWith({ usedTokens }) };
  const second = { ...joining, ...named('c'), uid: 'join-c' };
  t.deepEqual(judge(second, used), { deny: 'this token has been used, for node b' });
  t.like(judge(joining, used), approved, 'the same request may be answered again');
  const reusable = { ...second, groups: [...second.groups, reusableGroup] };
  t.like(judge(reusable, used), approved);
});

test('of two tokens that name the same node at the same time one is refused, but not for long', (t) => {
  const rival = { ...joining, uid: 'rival', username: 'system:bootstrap:uvwxyz' };
  const view = { ...alone, members: membersWith({ nodes: { b } }) };
  t.true(isDenied(judge(rival, view)));
  t.like(judge({ ...rival, createdAt: b.admittedAt + 60_000 }, view), approved);
  t.like(judge(rival, alone), approved, 'that of a node that has left is free at once');
});

test('a node that was removed needs a token that was made later', (t) => {
  const removed = { ...alone, members: membersWith({ removedAt: { b: 5_000 } }) };
  t.true(isDenied(judge(rejoining(), removed)), 'a token that does not say when it was made');
  t.true(isDenied(judge(rejoining(4_000), removed)));
  t.true(isDenied(judge(rejoining(5_000), removed)));
  t.true(isDenied(judge({ ...rejoining(6_000), groups: [joiningGroup, `${madeGroup}-`] }, removed)));
  t.like(judge(rejoining(6_000), removed), approved);
  t.like(judge({ ...rejoining(4_000), ...named('c') }, removed), approved, 'another name');
});

test('a node gets the certificates of its own components, also before it has registered', (t) => {
  const fresh = { ...alone, members: membersWith({ nodes: { b } }) };
  for (const view of [fresh, asMember])
    for (const request of [serving, flannel, ofNode({})]) t.deepEqual(judge(request, view), approved);
});

test('an address is the same however it is spelt', (t) => {
  const mapped = { ...serving, requested: { ...serving.requested, ips: ['::ffff:192.0.2.11'] } };
  t.deepEqual(judge(mapped, asMember), approved);
});

test('what a node says in its status is of no account', (t) => {
  // Nothing but the names of Nodes is looked at: c may claim the address of b there.
  t.deepEqual(judge(serving, { ...asMember, nodes: new Set(['a', 'b', 'c']) }), approved);
});

const server = (change: Partial<typeof serving.requested>) => ({
  ...serving,
  requested: { ...serving.requested, ...change },
});
const overreaching: Record<string, typeof serving> = {
  'for the kubelet of another': ofNode(named('a')),
  'for a component of another': {
    ...flannel,
    requested: { ...flannel.requested, subject: ['O=usernetes:flannel', 'CN=usernetes:flannel:a'] },
  },
  'with the rights of another component': {
    ...flannel,
    requested: { ...flannel.requested, subject: ['O=system:masters', 'CN=usernetes:flannel:b'] },
  },
  'of another signer': ofNode({ signerName: 'example.com/own' }),
  'as a server at the address of another': server({ ips: ['192.0.2.12'] }),
  'as a server at the address of the control plane': server({ ips: ['192.0.2.10'] }),
  'as a server at its IPv4-mapped address': server({ ips: ['::ffff:192.0.2.10'] }),
  'as a server at the address of the Service kubernetes': server({ ips: ['192.0.2.11', '10.0.0.1'] }),
  'as a server at a loopback address': server({ ips: ['127.0.0.1'] }),
  'as a server at the address of the cluster DNS': server({ ips: ['10.0.0.53'] }),
  'as a server at an address that nobody has': server({ ips: ['192.0.2.99'] }),
  'as a server of another name': server({ dns: ['b', 'kubernetes'] }),
  'as a server of a name in DNS': server({ dns: ['kubernetes.default.svc'] }),
  'as a server of a wildcard': server({ dns: ['*'] }),
  'as a server of a name of another kind': server({ otherNames: 1 }),
  'as a server that is a client too': { ...serving, usages: [...serving.usages, 'client auth'] },
};
for (const [what, request] of Object.entries(overreaching)) {
  test(`a node gets no certificate ${what}`, (t) => t.true(isDenied(judge(request, asMember))));
}

test('a node that has left or was removed gets nothing any more', (t) => {
  for (const request of [ofNode({}), serving, flannel]) {
    t.true(isDenied(judge(request, { ...asMember, members: membersWith({}) })), 'even if its Node is there');
    const removed = membersWith({ nodes: { b }, removedAt: { b: 1 } });
    t.true(isDenied(judge(request, { ...asMember, members: removed })));
  }
});

test('a node is known by its certificates: those of an earlier one of its name get nothing', (t) => {
  const nodes = { b: { ...b, credentials: ['X509SHA256=1', 'X509SHA256=2'] } };
  const view = { ...asMember, members: membersWith({ nodes }) };
  for (const request of [ofNode({}), serving, flannel]) {
    t.deepEqual(judge({ ...request, credential: 'X509SHA256=2' }, view), approved);
    t.true(isDenied(judge({ ...request, credential: 'X509SHA256=0' }, view)));
    t.true(isDenied(judge(request, view)), 'or one that does not say');
  }
});

test('a node whose address is not known gets no server certificate', (t) => {
  const members = membersWith({ nodes: { b: { admittedAt: 0 } } });
  t.true(isDenied(judge(server({ ips: [] }), { ...asMember, members })));
});

test('requests of people are left to others', (t) => {
  t.is(judge({ ...joining, username: 'jane', groups: [] }, alone), undefined);
});
