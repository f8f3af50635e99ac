import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { Clock } from '#src/supervisor/clock.js';
import type { ServiceStatus } from '#src/supervisor/definition.js';
import { daemon, fixture, linesOf, readyWhenFile, runs, shell, supervise, task } from './harness.js';

/** Time passes only while someone sleeps, and then at once. */
function fakeClock(): Clock & { slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    now: () => slept.reduce((sum, ms) => sum + ms, 0),
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      slept.push(ms);
      await new Promise(setImmediate);
    },
  };
}

const started = (restarts: number) => (status: ServiceStatus) =>
  status.restarts === restarts && status.pid !== undefined;
const readyAgain = (restarts: number) => (status: ServiceStatus) =>
  status.restarts === restarts && status.phase === 'ready';

test('a service that had been ready restarts at once, its dependents go on', async (t) => {
  const clock = fakeClock();
  const supervisor = await supervise(
    t,
    () => [daemon('base'), daemon('user', { dependsOn: { base: 'ready' } })],
    { clock },
  );
  await supervisor.start();
  const { pid: userPid } = await supervisor.until('user', 'ready');
  const { pid } = await supervisor.until('base', 'ready');
  process.kill(pid ?? 0, 'SIGKILL');
  const again = await supervisor.until('base', readyAgain(1));
  t.not(again.pid, pid);
  t.is(again.lastExit, 'signal SIGKILL');
  t.deepEqual(supervisor.phases('base'), ['starting', 'ready', 'backoff', 'starting', 'ready']);
  t.deepEqual(clock.slept, []);
  t.is(supervisor.statusOf('user').pid, userPid);
});

test('a service that dies before it is ready is tried again and again, ever more seldom', async (t) => {
  const clock = fakeClock();
  const broken = daemon('broken', {
    ...shell('exit 7'),
    ...readyWhenFile('/missing'),
    restart: { when: 'always', backoff: { initialMs: 1_000, maxMs: 20_000 } },
  });
  const supervisor = await supervise(t, () => [broken], { clock, random: () => 1 });
  await supervisor.start();
  const { lastExit } = await supervisor.until('broken', started(15));
  t.is(lastExit, 'exit code 7');
  t.deepEqual(clock.slept.slice(0, 7), [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
});

test('a service that keeps dying right after it got ready restarts 12 times a minute, others untouched', async (t) => {
  const clock = fakeClock();
  const supervisor = await supervise(
    t,
    () => [daemon('dies', { command: '/bin/true', args: [] }), daemon('lives')],
    { clock },
  );
  await supervisor.start();
  await supervisor.until('dies', started(25));
  t.deepEqual(clock.slept, [60_000, 60_000]);
  t.deepEqual(supervisor.phases('lives'), ['starting', 'ready']);
});

test('a program that cannot be executed: a daemon is tried again, and lives once the program is there', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    daemon('late', { command: join(dir, 'program'), args: [] }),
  ]);
  await supervisor.start();
  const { lastExit } = await supervisor.until('late', 'backoff');
  t.is(lastExit, `cannot execute ${supervisor.dir}/program: no such file, or no such interpreter`);
  await writeFile(join(supervisor.dir, 'program'), '#!/bin/sh\nexec sleep 1000\n', { mode: 0o700 });
  await supervisor.until('late', 'ready');
});

test('a program that cannot be executed: a task fails and tells why, and nothing goes on from there', async (t) => {
  const again = { restart: { when: 'on-failure', backoff: { initialMs: 1, maxMs: 1 } } } as const;
  const supervisor = await supervise(t, (dir) => [
    task('missing', '', { command: join(dir, 'missing'), ...again }),
    task('forbidden', '', { command: '/etc/passwd', ...again }),
    daemon('after', { dependsOn: { missing: 'completed' } }),
  ]);
  const reason = async (name: string): Promise<string | undefined> =>
    (await supervisor.until(name, 'failed')).lastExit;
  await supervisor.start();
  t.regex((await reason('missing')) ?? '', /^cannot execute .*\/missing: no such file/);
  t.is(await reason('forbidden'), 'cannot execute /etc/passwd: permission denied');
  t.is(supervisor.statusOf('after').phase, 'waiting');
});

test('a file that cannot be written is a failure that names it', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    daemon('a', { files: [{ path: join(dir, 'in-the-way/file'), content: '', mode: 0o600 }] }),
  ]);
  await writeFile(join(supervisor.dir, 'in-the-way'), '');
  await supervisor.start();
  const { lastExit } = await supervisor.until('a', 'backoff');
  t.regex(lastExit ?? '', /^cannot write .*\/in-the-way\/file: ENOTDIR/);
  await rm(join(supervisor.dir, 'in-the-way'));
  await supervisor.until('a', 'ready');
});

test('a task: done at 0, tried again or failed otherwise', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    task('once', 'exit 4'),
    task('again', `echo x >>${dir}/tries; [ $(wc -l <${dir}/tries) = 3 ]`, {
      restart: { when: 'on-failure', backoff: { initialMs: 1, maxMs: 1 } },
    }),
  ]);
  await supervisor.start();
  const [once, again] = await Promise.all([
    supervisor.until('once', 'failed'),
    supervisor.until('again', 'completed'),
  ]);
  t.is(once.lastExit, 'exit code 4');
  t.is(again.restarts, 2);
  t.is(again.pid, undefined);
});

test('a daemon that may not be started again ends loudly', async (t) => {
  const never = { restart: { when: 'never', backoff: { initialMs: 1, maxMs: 1 } } } as const;
  const supervisor = await supervise(t, () => [
    daemon('fails', { ...shell('exit 1'), ...never }),
    daemon('ends', { ...shell('exit 0'), ...never }),
  ]);
  await supervisor.start();
  t.is((await supervisor.until('fails', 'failed')).lastExit, 'exit code 1');
  t.is((await supervisor.until('ends', 'stopped')).lastExit, 'exit code 0');
});

test('a service that does not get ready in time is ended and started again', async (t) => {
  const clock = fakeClock();
  const supervisor = await supervise(t, () => [daemon('slow', readyWhenFile('/missing', 40))], { clock });
  await supervisor.start();
  const { pid } = await supervisor.until('slow', started(0));
  const { lastExit } = await supervisor.until('slow', 'backoff');
  t.regex(lastExit ?? '', /^not ready after 0.04 s: ENOENT/);
  t.false(await runs(pid ?? 0));
  await supervisor.until('slow', started(1));
  t.is(clock.slept.length, 1);
});

test('what a dead process left in its group is gone before its successor starts', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    daemon('family', {
      command: fixture('family.sh'),
      args: [join(dir, 'pids')],
      ...readyWhenFile(join(dir, 'pids')),
    }),
  ]);
  await supervisor.start();
  const { pid } = await supervisor.until('family', 'ready');
  const descendants = (await linesOf(join(supervisor.dir, 'pids'))).map(Number);
  t.is(descendants.length, 2);
  process.kill(pid ?? 0, 'SIGKILL');
  await supervisor.until('family', 'backoff');
  for (const descendant of descendants) t.false(await runs(descendant));
});
