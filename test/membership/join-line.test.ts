import test from 'ava';
import { formatJoinLine, parseJoinLine } from '#src/membership/join-line.js';
import { UsageError } from '#src/lib/errors.js';

const words = {
  endpoint: '192.0.2.10:6443',
  token: 'abcdef.0123456789abcdef',
  caHash: `sha256:${'0'.repeat(64)}`,
};

test('the line is read as it was written', (t) => {
  t.deepEqual(parseJoinLine(`${formatJoinLine(words)}\n`, 'a file'), words);
});

test('however the program is called in it', (t) => {
  const line = formatJoinLine(words);
  for (const name of ['bin/u7s.js', 'kubeadm'])
    t.deepEqual(parseJoinLine(line.replace('u7s', name), 'a file'), words);
});

test('a file without such a line is told by its name', (t) => {
  const error = t.throws(() => parseJoinLine('', './join-command'), {
    instanceOf: UsageError,
    code: 'no-join-line',
    message: /^\.\/join-command /,
  });
  t.like(error.fixes[0], { on: 'control-plane', commands: [['join-command']] });
});
