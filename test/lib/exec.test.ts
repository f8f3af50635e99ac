import test from 'ava';
import { run, runOk } from '#src/lib/exec.js';

test('a program is run to its end, and its exit code is no error', async (t) => {
  t.deepEqual(await run('sh', ['-c', 'echo out; echo err >&2; exit 3']), {
    exitCode: 3,
    stdout: 'out',
    stderr: 'err',
  });
});

test('it gets its input and just the environment that is given', async (t) => {
  const options = { input: 'word\n\n', env: { PATH: '/usr/bin:/bin', ONE: '1', NONE: undefined } };
  const { stdout } = await run('sh', ['-c', 'cat; echo "$ONE ${HOME-no home} ${NONE-none}"'], options);
  t.is(stdout, 'word\n\n1 no home none');
});

test('a program need not read its input', async (t) => {
  t.is((await run('true', [], { input: 'x'.repeat(1 << 20) })).exitCode, 0);
});

test('what cannot be started or is killed is an error that names it', async (t) => {
  await t.throwsAsync(run('/no/such/program', []), {
    code: 'not-executable',
    message: /\/no\/such\/program: .*ENOENT/,
  });
  await t.throwsAsync(run('sh', ['-c', 'kill -9 $$']), { message: /it was killed by SIGKILL/ });
  await t.throwsAsync(run('sleep', ['60'], { timeout: 50 }), { message: /it was killed by SIGTERM/ });
});

test('an abort ends it with the reason', async (t) => {
  const aborting = new AbortController();
  const running = run('sleep', ['60'], { signal: aborting.signal });
  aborting.abort(new Error('interrupted'));
  await t.throwsAsync(running, { message: 'interrupted' });
});

test('where it must succeed, the error quotes the end of what the program printed', async (t) => {
  t.is(await runOk('echo', ['fine']), 'fine');
  await t.throwsAsync(runOk('sh', ['-c', 'echo why >&2; exit 1']), {
    code: 'program-failed',
    message: 'sh -c exited with 1: why',
  });
});
