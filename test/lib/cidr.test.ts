import test from 'ava';
import { cidrContains, cidrsOverlap, nthAddress } from '#src/lib/cidr.js';

test('addresses of a network are counted from its first', (t) => {
  t.is(nthAddress('10.0.0.0/24', 1), '10.0.0.1');
  t.is(nthAddress('10.88.0.0/16', 257), '10.88.1.1');
  t.is(nthAddress('10.88.3.7/16', 1), '10.88.0.1');
});

test('an address past the end is refused', (t) => {
  t.throws(() => nthAddress('10.0.0.0/24', 256), { code: 'no-such-address' });
});

test('a network contains its addresses and no others', (t) => {
  t.true(cidrContains('10.0.0.0/24', '10.0.0.53'));
  t.false(cidrContains('10.0.0.0/24', '10.0.1.53'));
  t.false(cidrContains('10.0.0.0/24', 'x'));
});

test('networks overlap when one lies in the other', (t) => {
  t.true(cidrsOverlap('10.0.0.0/8', '10.88.0.0/16'));
  t.true(cidrsOverlap('10.88.0.0/16', '10.0.0.0/8'));
  t.false(cidrsOverlap('10.88.0.0/16', '10.89.0.0/16'));
});

test('what is no network is named', (t) => {
  t.throws(() => nthAddress('10.0.0.0', 1), { code: 'network-invalid', message: /"10.0.0.0"/ });
});
