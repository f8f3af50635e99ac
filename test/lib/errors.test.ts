import test from 'ava';
import { codeOf, errnoOf, fixesOf, messageOf, U7sError, UsageError } from '#src/lib/errors.js';
import { warningOf } from '#src/lib/events.js';
import { u7s } from '#src/lib/fixes.js';

const stop = u7s(['down'], { text: 'stop it' });

test('a failure has a code, its fixes as data, a cause and an exit code', (t) => {
  const cause = new Error('EADDRINUSE');
  const error = new U7sError('port-taken', 'port 80 is taken', { fixes: [stop, 'use another port'], cause });
  t.is(codeOf(error), 'port-taken');
  t.deepEqual(fixesOf(error), [stop, 'use another port']);
  t.is(error.cause, cause);
  t.is(error.exitCode, 1);
  t.is(new U7sError('not-running', 'the cluster is stopped', { exitCode: 3 }).exitCode, 3);
});

test('a wrong command line exits with 2', (t) => {
  const error = new UsageError('no-such-service', 'there is no service etdc', u7s(['status']));
  t.is(error.exitCode, 2);
  t.is(error.code, 'no-such-service');
  t.deepEqual(error.fixes, [{ commands: [['status']] }]);
  t.true(error instanceof U7sError);
});

test('what others throw has neither a code nor fixes', (t) => {
  const system = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
  t.is(codeOf(system), undefined);
  t.deepEqual(fixesOf(system), []);
  t.is(errnoOf(system), 'ENOENT');
  t.is(messageOf('just a string'), 'just a string');
  t.is(errnoOf('just a string'), undefined);
});

test('a code of ours is no errno', (t) => {
  t.is(errnoOf(new U7sError('locked', 'another program holds the lock')), undefined);
});

test('a warning in place of an error keeps the code and the fixes', (t) => {
  const error = new U7sError('locked', 'it is locked', { fixes: [stop] });
  t.deepEqual(warningOf(error), { kind: 'warning', text: 'it is locked', code: 'locked', fixes: [stop] });
  t.deepEqual(warningOf(error, 'not merged'), {
    kind: 'warning',
    text: 'not merged',
    code: 'locked',
    fixes: [stop],
  });
  t.deepEqual(warningOf(new Error('unknown')), { kind: 'warning', text: 'unknown' });
});
