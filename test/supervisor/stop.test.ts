import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ServiceDefinition, ServiceStatus } from '#src/supervisor/definition.js';
import { daemon, fixture, linesOf, readyWhenFile, runs, shell, supervise, task } from './harness.js';

/** Writes to the journal when it starts and stops. */
const journaling = (
  dir: string,
  name: string,
  overrides: Partial<ServiceDefinition> = {},
): ServiceDefinition =>
  daemon(name, {
    command: fixture('daemon.sh'),
    args: [name, join(dir, 'journal'), join(dir, name)],
    ...readyWhenFile(join(dir, name)),
    ...overrides,
  });

test('a service stops only when all its dependents have', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    journaling(dir, 'base'),
    journaling(dir, 'middle', { dependsOn: { base: 'ready' } }),
    journaling(dir, 'left', { dependsOn: { middle: 'ready' } }),
    journaling(dir, 'right', { dependsOn: { base: 'ready' } }),
  ]);
  await supervisor.start();
  await Promise.all(['left', 'right'].map((name) => supervisor.until(name, 'ready')));
  await supervisor.stop('enough');

  const stops = (await linesOf(join(supervisor.dir, 'journal'))).filter((line) => line.endsWith('stopped'));
  t.deepEqual([...stops].sort(), ['base stopped', 'left stopped', 'middle stopped', 'right stopped']);
  t.is(stops.at(-1), 'base stopped');
  t.true(stops.indexOf('left stopped') < stops.indexOf('middle stopped'));
  t.deepEqual(supervisor.events.at(-1), { type: 'stopped', reason: 'enough' });
  for (const { phase, lastExit } of supervisor.status())
    t.deepEqual([phase, lastExit], ['stopped', 'exit code 0']);
});

test('independent services are told to stop at the same time', async (t) => {
  // Neither ends before it has seen that the other was told, too.
  const supervisor = await supervise(t, (dir) =>
    [
      ['a', 'b'],
      ['b', 'a'],
    ].map(([own, other]) =>
      daemon(own ?? '', {
        ...shell(
          `trap ': >${dir}/${own}.told; until [ -e ${dir}/${other}.told ]; do sleep 0.05; done; exit 0' TERM
           : >${dir}/${own}; while :; do sleep 1000 & wait $!; done`,
        ),
        ...readyWhenFile(join(dir, own ?? '')),
        stop: { signal: 'SIGTERM', graceMs: 30_000 },
      }),
    ),
  );
  await supervisor.start();
  await Promise.all(['a', 'b'].map((name) => supervisor.until(name, 'ready')));
  await supervisor.stop('enough');
  t.deepEqual(
    supervisor.status().map(({ lastExit }) => lastExit),
    ['exit code 0', 'exit code 0'],
  );
});

test('the signal is the one of the definition', async (t) => {
  const supervisor = await supervise(t, () => [
    daemon('a', { stop: { signal: 'SIGQUIT', graceMs: 10_000 } }),
  ]);
  await supervisor.start();
  await supervisor.until('a', 'ready');
  await supervisor.stop('enough');
  t.is(supervisor.statusOf('a').lastExit, 'signal SIGQUIT');
});

test('what does not obey, or cannot, is killed after its grace, its children too', async (t) => {
  const stop = { signal: 'SIGTERM', graceMs: 100 } as const;
  const supervisor = await supervise(t, (dir) => [
    daemon('stubborn', {
      command: fixture('stubborn.sh'),
      args: [join(dir, 's')],
      ...readyWhenFile(join(dir, 's')),
      stop,
    }),
    journaling(dir, 'frozen', { stop }),
  ]);
  await supervisor.start();
  await supervisor.until('stubborn', 'ready');
  const { pid } = await supervisor.until('frozen', 'ready');
  process.kill(pid ?? 0, 'SIGSTOP');
  await supervisor.stop('enough');
  for (const name of ['stubborn', 'frozen']) t.is(supervisor.statusOf(name).lastExit, 'signal SIGKILL');
});

test('descendants that ignore the signal do not outlive their service', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    daemon('family', {
      command: fixture('family.sh'),
      args: [join(dir, 'pids')],
      ...readyWhenFile(join(dir, 'pids')),
    }),
  ]);
  await supervisor.start();
  await supervisor.until('family', 'ready');
  await supervisor.stop('enough');
  t.is(supervisor.statusOf('family').lastExit, 'signal SIGTERM');
  const descendants = await linesOf(join(supervisor.dir, 'pids'));
  t.is(descendants.length, 2);
  for (const descendant of descendants) t.false(await runs(Number(descendant)));
});

test('stopping before the start leaves nothing to start', async (t) => {
  const supervisor = await supervise(t, () => [daemon('a')]);
  await supervisor.stop('never mind');
  await supervisor.start();
  t.deepEqual(supervisor.phases('a'), ['stopped']);
});

test('stopping in any phase leaves no process and no service behind', async (t) => {
  const far = { restart: { when: 'always', backoff: { initialMs: 600_000, maxMs: 600_000 } } } as const;
  const phases: Record<string, (dir: string) => [ServiceDefinition[], (status: ServiceStatus) => boolean]> = {
    'at once': () => [[daemon('a')], () => true],
    waiting: (dir) => [
      [daemon('base', readyWhenFile(join(dir, 'no'))), daemon('a', { dependsOn: { base: 'ready' } })],
      ({ name, pid }) => name === 'base' && pid !== undefined,
    ],
    starting: (dir) => [[daemon('a', readyWhenFile(join(dir, 'no')))], ({ pid }) => pid !== undefined],
    ready: () => [[daemon('a')], ({ phase }) => phase === 'ready'],
    backoff: () => [
      [daemon('a', { ...shell('exit 1'), ...readyWhenFile('/no'), ...far })],
      ({ phase }) => phase === 'backoff',
    ],
    'running task': () => [[task('a', 'sleep 1000')], ({ pid }) => pid !== undefined],
  };
  for (const [phase, arrange] of Object.entries(phases)) {
    let wanted: (status: ServiceStatus) => boolean = () => false;
    const supervisor = await supervise(t, (dir) => {
      const [definitions, fits] = arrange(dir);
      wanted = fits;
      return definitions;
    });
    const name = phase === 'waiting' ? 'base' : 'a';
    await supervisor.start();
    await supervisor.until(name, wanted);
    await supervisor.stop(phase);
    const pids = supervisor.events.flatMap((event) =>
      event.type === 'service' ? (event.status.pid ?? []) : [],
    );
    for (const pid of pids) t.false(await runs(pid), phase);
    for (const status of supervisor.status()) t.like(status, { phase: 'stopped', pid: undefined }, phase);
  }
});

test('what is done or has failed stays so', async (t) => {
  const supervisor = await supervise(t, () => [task('done', ':'), task('failed', 'exit 1')]);
  await supervisor.start();
  await Promise.all([supervisor.until('done', 'completed'), supervisor.until('failed', 'failed')]);
  await supervisor.stop('enough');
  t.deepEqual(
    supervisor.status().map(({ phase }) => phase),
    ['completed', 'failed'],
  );
});

test('stopping twice is stopping once', async (t) => {
  const supervisor = await supervise(t, () => [daemon('a')]);
  await supervisor.start();
  await Promise.all([supervisor.stop('first'), supervisor.stop('second')]);
  t.deepEqual(
    supervisor.events.filter(({ type }) => type === 'stopped'),
    [{ type: 'stopped', reason: 'first' }],
  );
});

test('restarting one service leaves its dependents alone', async (t) => {
  const supervisor = await supervise(t, () => [
    daemon('base'),
    daemon('user', { dependsOn: { base: 'ready' } }),
  ]);
  await supervisor.start();
  const { pid: userPid } = await supervisor.until('user', 'ready');
  const { pid } = supervisor.statusOf('base');
  await supervisor.restart('base');
  const again = await supervisor.until('base', ({ restarts, phase }) => restarts === 1 && phase === 'ready');
  t.not(again.pid, pid);
  t.false(await runs(pid ?? 0));
  t.is(supervisor.statusOf('user').pid, userPid);
  t.deepEqual(supervisor.phases('base'), ['starting', 'ready', 'stopping', 'stopped', 'starting', 'ready']);
});

test('restarting twice at once restarts once; during the stop it is refused; a wrong name is told', async (t) => {
  const supervisor = await supervise(t, () => [daemon('a'), daemon('b')]);
  await supervisor.start();
  await supervisor.until('a', 'ready');
  await Promise.all([supervisor.restart('a'), supervisor.restart('a')]);
  t.is(supervisor.statusOf('a').restarts, 1);
  const error = await t.throwsAsync(supervisor.restart('c'), { message: 'there is no service c' });
  t.like(error, { code: 'no-such-service', fixes: ['name one of: a, b'] });
  const refused = supervisor.restart('a');
  const stopped = supervisor.stop('enough');
  await t.throwsAsync(refused, { message: /cannot be restarted while everything is being stopped/ });
  await stopped;
  t.is(supervisor.statusOf('a').phase, 'stopped');
});

test('a task that is done can be run again', async (t) => {
  const supervisor = await supervise(t, (dir) => [task('a', `echo ran >>${dir}/journal`)]);
  await supervisor.start();
  await supervisor.until('a', 'completed');
  await supervisor.restart('a');
  await supervisor.until('a', ({ restarts, phase }) => restarts === 1 && phase === 'completed');
  t.is((await linesOf(join(supervisor.dir, 'journal'))).length, 2);
});

test.serial(
  'twenty services, started and stopped over and over, leave no process and no open file',
  async (t) => {
    const openFiles = (): number => readdirSync('/proc/self/fd').length;
    let before = 0;
    for (let round = 0; round < 5; round++) {
      const supervisor = await supervise(t, () =>
        Array.from({ length: 20 }, (_, index) =>
          daemon(`s${index}`, index % 5 === 0 ? {} : { dependsOn: { [`s${index - 1}`]: 'ready' } }),
        ),
      );
      await supervisor.start();
      // Every other round is stopped in the midst of starting.
      if (round % 2 === 0)
        await Promise.all([4, 9, 14, 19].map((index) => supervisor.until(`s${index}`, 'ready')));
      await supervisor.stop('enough');
      const pids = supervisor.events.flatMap((event) =>
        event.type === 'service' ? (event.status.pid ?? []) : [],
      );
      for (const pid of pids) t.false(await runs(pid));
      if (round === 0) before = openFiles();
    }
    t.is(openFiles(), before);
  },
);
