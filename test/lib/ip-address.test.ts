import test from 'ava';
import { canonicalAddress, isHostAddress } from '#src/lib/ip-address.js';

test('an address has one spelling', (t) => {
  for (const text of ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:c000:0201'])
    t.is(canonicalAddress(text), '192.0.2.1', text);
  t.is(canonicalAddress('2001:DB8:0::1'), '2001:db8::1');
  for (const text of ['', 'a', '192.0.2', '3221225985', '0xc0000201', '192.0.2.1/32', '192.0.2.1 '])
    t.is(canonicalAddress(text), undefined, text);
});

test('a host has a unicast address that others can reach', (t) => {
  for (const text of ['192.0.2.1', '10.0.0.1', '100.64.0.1']) t.true(isHostAddress(text), text);
  for (const text of ['0.0.0.0', '127.0.0.1', '169.254.1.1', '224.0.0.1', '255.255.255.255', '::1', 'a'])
    t.false(isHostAddress(text), text);
});
