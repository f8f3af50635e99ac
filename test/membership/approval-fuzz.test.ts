import test from 'ava';
import fc from 'fast-check';
import {
  joiningGroup,
  judge,
  madeGroup,
  reusableGroup,
  signers,
  type ClusterView,
  type SigningRequest,
} from '#src/membership/approval.js';
import type { Member } from '#src/membership/members.js';
import { flannel, joining, membersWith, ofNode, rejoining, reserved, serving } from './requests.js';

// Whatever is asked for in whichever state of the cluster: what is approved names nothing outside the allow-list. The words are
// those with which something can be reached for, so that many requests come close to what is allowed.

const names = ['a', 'b', 'c', 'kubernetes', 'localhost', 'kubernetes.default.svc', 'b.c', '*', 'B', '-', ''];
const addresses = [
  ...[
    '192.0.2.10',
    '192.0.2.11',
    '192.0.2.12',
    '192.0.2.99',
    '10.0.0.1',
    '10.0.0.53',
    '10.5.0.1',
    '127.0.0.1',
  ],
  ...['0.0.0.0', '169.254.169.254', '224.0.0.1', '255.255.255.255', '::1', '2001:db8::1', 'fe80::1%eth0', ''],
  ...['::ffff:192.0.2.10', '::ffff:192.0.2.11', '::ffff:a00:1', '::192.0.2.10', '0xc000020a', '192.0.2.010'],
];
const name = fc.constantFrom(...names);
const address = fc.oneof(fc.constantFrom(...addresses), fc.ipV4(), fc.ipV6());
const subject = fc.oneof(
  name.map((node) => ['O=system:nodes', `CN=system:node:${node}`]),
  fc
    .tuple(fc.constantFrom('kube-proxy', 'flannel', 'port-publisher', 'node-approver'), name)
    .map(([component, node]) => [`O=usernetes:${component}`, `CN=usernetes:${component}:${node}`]),
  fc.array(
    fc.constantFrom('O=system:nodes', 'O=system:masters', 'CN=system:node:b', 'CN=kubernetes-admin', 'OU=x'),
    { maxLength: 3 },
  ),
  fc.array(fc.string(), { maxLength: 3 }),
);
const usages = fc.oneof(
  fc.constantFrom<string[]>(
    ['digital signature', 'client auth'],
    ['digital signature', 'key encipherment', 'server auth'],
  ),
  fc.subarray<string>([
    'digital signature',
    'key encipherment',
    'client auth',
    'server auth',
    'cert sign',
    'any',
  ]),
);
const anything = fc.record({
  uid: fc.constantFrom('1', '2'),
  username: fc.oneof(
    name.map((node) => `system:node:${node}`),
    fc.constantFrom('system:bootstrap:abcdef', 'system:bootstrap:uvwxyz', 'system:node', 'jane', ''),
  ),
  groups: fc.subarray([
    ...['system:nodes', joiningGroup, reusableGroup, 'system:masters', 'system:authenticated'],
    ...['', '-1', '5000', '9e99', 'NaN', '0x10'].map((made) => `${madeGroup}${made}`),
  ]),
  signerName: fc.oneof(
    fc.constantFrom(...Object.values(signers), 'kubernetes.io/legacy-unknown', 'example.com/own'),
    fc.string(),
  ),
  usages,
  requested: fc.record({
    subject,
    dns: fc.array(name, { maxLength: 2 }),
    ips: fc.array(address, { maxLength: 2 }),
    otherNames: fc.constantFrom(0, 0, 0, 1),
  }),
  address,
  createdAt: fc.constantFrom(0, 1_000_000, 2_000_000),
});
/** One that could be approved, with up to three things that are otherwise. */
const request = fc
  .tuple(
    fc.constantFrom<SigningRequest>(joining, rejoining(5000), ofNode({}), serving, flannel),
    anything,
    fc.subarray(
      ['uid', 'username', 'groups', 'signerName', 'usages', 'requested', 'address', 'createdAt'] as const,
      {
        maxLength: 3,
      },
    ),
  )
  .map(([usual, other, changed]): SigningRequest => ({
    ...usual,
    ...Object.fromEntries(changed.map((field) => [field, other[field]])),
  }));
const member: fc.Arbitrary<Member> = fc.record(
  {
    address: fc.constantFrom('192.0.2.11', '192.0.2.12'),
    admittedAt: fc.constantFrom(0, 1_000_000),
    request: fc.constantFrom('1', '2'),
  },
  { requiredKeys: ['admittedAt'] },
);
const view: fc.Arbitrary<ClusterView> = fc
  .record({
    nodes: fc.subarray(['a', 'b', 'c']),
    members: fc.dictionary(fc.constantFrom('b', 'c'), member),
    removedAt: fc.dictionary(fc.constantFrom('b', 'c'), fc.constantFrom(0, 4000, 5000, 6000)),
    used: fc.boolean(),
  })
  .map(({ nodes, members, removedAt, used }) => ({
    nodes: new Set(nodes),
    members: membersWith({
      nodes: members,
      removedAt,
      usedTokens: used ? { abcdef: { node: 'b', request: '1', usedAt: 0 } } : {},
    }),
    reserved,
  }));

const runs = { numRuns: Number(process.env['U7S_FUZZ_RUNS'] ?? 10_000) };
const components = ['kube-proxy', 'flannel', 'port-publisher'];

test('what is approved is a certificate of the node that asks, or of a new one, with nothing besides', (t) => {
  let approvals = 0;
  const property = fc.property(request, view, (asked, cluster) => {
    const verdict = judge(asked, cluster);
    if (verdict === undefined || 'deny' in verdict) return;
    approvals++;
    const { nodes, members } = cluster;
    const { requested, username, signerName } = asked;
    const { admission } = verdict;
    const node = admission?.node ?? username.slice('system:node:'.length);
    // Who: a token, or a member that was not removed.
    if (admission !== undefined) {
      t.regex(username, /^system:bootstrap:[a-z0-9]{6}$/);
      t.is(signerName, signers.kubelet);
      t.false(nodes.has(node) || reserved.hosts.includes(node));
      const made = asked.groups.flatMap((group) => /^.*:made:(5000)$/.exec(group)?.[1] ?? []);
      const removedAt = members.removedAt.get(node);
      if (removedAt !== undefined) t.true(made.length > 0 && removedAt < 5000);
      if (members.usedTokens.has(username.slice('system:bootstrap:'.length)))
        t.true(asked.uid === '1' || asked.groups.includes(reusableGroup));
      t.is(admission.request, asked.uid);
    } else {
      t.is(username, `system:node:${node}`);
      t.true(members.nodes.has(node) && !members.removedAt.has(node));
    }
    // For what: the subject of one of the node's own components.
    t.regex(node, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
    const isKubelet = signerName !== signers.client;
    const subjects = isKubelet
      ? [`O=system:nodes CN=system:node:${node}`]
      : components.map((each) => `O=usernetes:${each} CN=usernetes:${each}:${node}`);
    t.true(subjects.includes(requested.subject.join(' ')));
    // As whom: a client without further names, or a server by its own name and its recorded address only.
    t.is(requested.otherNames, 0);
    const isServer = signerName === signers.kubeletServer;
    t.deepEqual(
      asked.usages.filter((usage) => !['digital signature', 'key encipherment'].includes(usage)),
      [isServer ? 'server auth' : 'client auth'],
    );
    const recorded = members.nodes.get(node)?.address ?? 'none';
    t.true(requested.dns.every((each) => isServer && each === node));
    t.true(requested.ips.every((each) => isServer && [recorded, `::ffff:${recorded}`].includes(each)));
    // Where: an address that a host can have, and that nobody else has.
    if (admission !== undefined) {
      const given = admission.address;
      t.regex(
        given,
        /^(?!0\.|127\.|169\.254\.|10\.0\.0\.|10\.5\.|22[4-9]\.|23\d\.|255\.255\.255\.255)\d+\.\d+\.\d+\.\d+$/,
      );
      t.not(given, '192.0.2.10');
      for (const [other, { address }] of members.nodes) if (other !== node) t.not(given, address);
    }
  });
  fc.assert(property, runs);
  t.true(approvals > runs.numRuns / 100, `only ${approvals} were approved`);
});
