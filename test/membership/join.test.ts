import test from 'ava';
import { parseInvitation } from '#src/membership/join.js';
import { UsageError } from '#src/lib/errors.js';

const token = 'abcdef.0123456789abcdef';
const hash = `sha256:${'0a'.repeat(32)}`;

test('the line of join-command is read as it was printed', (t) => {
  t.deepEqual(parseInvitation('192.0.2.10:6443', token, hash), {
    host: '192.0.2.10',
    port: 6443,
    token,
    caHash: hash,
  });
  t.is(parseInvitation('[2001:db8::1]:6443', token, hash).host, '2001:db8::1');
});

const wrong: Record<string, [endpoint: string, token: string, hash: string]> = {
  'a host without its port': ['192.0.2.10', token, hash],
  'a URL': ['https://192.0.2.10:6443', token, hash],
  'a port that is none': ['192.0.2.10:66443', token, hash],
  'half a token': ['192.0.2.10:6443', 'abcdef', hash],
  'a hash that was cut off': ['192.0.2.10:6443', token, 'sha256:0a0a'],
};
for (const [what, words] of Object.entries(wrong)) {
  test(`${what} is refused before anybody is called`, (t) => {
    const error = t.throws(() => parseInvitation(...words), { instanceOf: UsageError });
    t.is(error?.code, 'invitation-invalid');
    t.like(error?.fixes[0], { on: 'control-plane', commands: [['join-command']] });
    t.false(error?.message.includes('0123456789abcdef'), 'a token stays out of messages');
  });
}
