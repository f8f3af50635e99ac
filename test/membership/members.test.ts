import test from 'ava';
import {
  adoptionChange,
  admissionChange,
  credentialChange,
  departureChange,
  readMembers,
  removalChange,
  type MemberChange,
} from '#src/membership/members.js';

/** The record after each of the changes. */
function recorded(...changes: MemberChange[]) {
  const merged = Object.assign({}, ...changes) as MemberChange;
  const data = Object.fromEntries(
    Object.entries(merged).flatMap(([key, value]) => (value === null ? [] : [[key, value]])),
  );
  return readMembers({ metadata: { resourceVersion: '7' }, data });
}
const admitted = admissionChange(
  { node: 'b', address: '192.0.2.11', request: 'uid', usedToken: 'abcdef' },
  1000,
);

test('a node that was admitted is a member, and its token is used', (t) => {
  const { nodes, usedTokens, version } = recorded(admitted);
  t.deepEqual(nodes.get('b'), { address: '192.0.2.11', admittedAt: 1000, request: 'uid' });
  t.deepEqual(usedTokens.get('abcdef'), { node: 'b', request: 'uid', usedAt: 1000 });
  t.is(version, '7');
});

test('a node that was removed is told apart from one that has left, until it is admitted again', (t) => {
  t.is(recorded(admitted, removalChange('b', 2000)).removedAt.get('b'), 2000);
  t.false(recorded(admitted, departureChange('b')).nodes.has('b'));
  t.false(recorded(removalChange('b', 2000), admitted).removedAt.has('b'));
});

test('a node is known by its latest certificates', (t) => {
  const member = { address: '192.0.2.11', admittedAt: 1000 };
  const first = credentialChange('b', member, ['X=1']) ?? {};
  t.deepEqual(recorded(first).nodes.get('b'), { ...member, credentials: ['X=1'] });
  t.is(credentialChange('b', { ...member, credentials: ['X=1', 'X=2'] }, ['X=1']), undefined);
  const many = Array.from({ length: 20 }, (_, index) => `X=${index}`);
  const { credentials = [] } = recorded(credentialChange('b', member, many) ?? {}).nodes.get('b') ?? {};
  t.is(credentials.at(-1), 'X=19');
  t.is(credentialChange('b', { ...member, credentials }, many), undefined, 'nothing changes for ever');
});

test('of nodes that claim one address the older keeps it; a name that no node can have is left out', (t) => {
  const present = [
    { name: 'c', addresses: ['192.0.2.11'], createdAt: 2 },
    { name: 'b', addresses: ['::ffff:192.0.2.11'], createdAt: 1 },
    { name: 'd.e', addresses: ['192.0.2.12'], createdAt: 1 },
  ];
  const { nodes, isAdopted } = recorded(adoptionChange(present, () => true, 5000));
  t.true(isAdopted);
  t.deepEqual([...nodes.keys()].sort(), ['b', 'c']);
  t.is(nodes.get('b')?.address, '192.0.2.11');
  t.is(nodes.get('c')?.address, undefined);
});

test('what somebody has spoilt allows nothing', (t) => {
  const data = { 'node.b': 'no JSON', 'node.c': '["x"]', 'removed.d': 'some day', 'token.abcdef': '5' };
  const { nodes, removedAt } = readMembers({ metadata: { resourceVersion: '1' }, data });
  t.deepEqual(nodes.get('b'), { admittedAt: 0 });
  t.is(nodes.get('c')?.address, undefined);
  t.is(removedAt.get('d'), Infinity);
});
