import { execFileSync } from 'node:child_process';
import test from 'ava';
import fc from 'fast-check';
import { shellLine, shellQuote } from '#src/lib/shell.js';

test('words that a shell takes as they are stay without quotes', (t) => {
  t.is(
    shellLine(['u7s', '--cluster', 'second', 'up', '--publish=0.0.0.0:80:80/tcp']),
    'u7s --cluster second up --publish=0.0.0.0:80:80/tcp',
  );
  t.is(shellLine(['cat', "it's here", '']), `cat 'it'\\''s here' ''`);
  t.is(shellQuote('/opt/runc'), `'/opt/runc'`);
});

test('a shell reads back the words that were written', (t) => {
  const word = fc.string().map((text) => text.replaceAll('\0', ''));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (words) => {
      const read = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${shellLine(words)}`], {
        encoding: 'utf8',
      });
      t.deepEqual(read.split('\0').slice(0, -1), words);
    }),
    { numRuns: 30 },
  );
});
