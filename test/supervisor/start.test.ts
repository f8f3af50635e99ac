import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { createSupervisor } from '#src/supervisor/supervisor.js';
import { daemon, fixture, linesOf, readyWhenFile, shell, supervise, task } from './harness.js';

const hasPid = ({ pid }: { pid?: number }): boolean => pid !== undefined;

test.serial(
  'files are written before the start with exactly their mode, in private folders, whatever the umask',
  async (t) => {
    const umask = process.umask(0o777);
    t.teardown(() => process.umask(umask));
    const supervisor = await supervise(t, (dir) => [
      task('reads', `cat ${dir}/etc/a/secret`, {
        files: [
          { path: join(dir, 'etc/a/secret'), content: 'sesame\n', mode: 0o600 },
          { path: join(dir, 'etc/a/script'), content: '', mode: 0o755 },
        ],
      }),
    ]);
    const mode = async (path: string): Promise<number> =>
      (await stat(join(supervisor.dir, path))).mode & 0o777;
    await supervisor.start();
    await supervisor.until('reads', 'completed');
    t.is(await readFile(join(supervisor.dir, 'logs/reads.log'), 'utf8'), 'sesame\n');
    t.is(await mode('etc'), 0o700);
    t.is(await mode('etc/a'), 0o700);
    t.is(await mode('etc/a/secret'), 0o600);
    t.is(await mode('etc/a/script'), 0o755);
    t.is(await mode('logs'), 0o700);
    t.is(await mode('logs/reads.log'), 0o600);
  },
);

test('what comes before a service is run to its end at each start, and a failure of it is one of the service', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    daemon('daemon', {
      before: shell(
        `rm -f ${dir}/up; echo before >> ${dir}/order; [ -e ${dir}/go ] || { touch ${dir}/go; exit 7; }`,
      ),
      ...shell(`echo daemon >> ${dir}/order; touch ${dir}/up; exec sleep 1000`),
      ...readyWhenFile(join(dir, 'up')),
    }),
  ]);
  await supervisor.start();
  const { restarts, lastExit } = await supervisor.until('daemon', 'ready');
  t.deepEqual([restarts, lastExit], [1, 'what comes before it ended with exit code 7']);
  await supervisor.restart('daemon');
  await supervisor.until('daemon', ({ phase, restarts }) => phase === 'ready' && restarts === 2);
  const order = await linesOf(join(supervisor.dir, 'order'));
  t.deepEqual(order, ['before', 'before', 'daemon', 'before', 'daemon']);
});

test('a folder that exists keeps its mode', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    task('a', ':', { files: [{ path: join(dir, 'shared/file'), content: '', mode: 0o600 }] }),
  ]);
  await mkdir(join(supervisor.dir, 'shared'), { mode: 0o755 });
  await supervisor.start();
  await supervisor.until('a', 'completed');
  t.is((await stat(join(supervisor.dir, 'shared'))).mode & 0o777, 0o755);
});

test('a service starts when its dependencies have got as far as it asks for', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    daemon('needs-ready', { dependsOn: { base: 'ready' } }),
    daemon('needs-started', { dependsOn: { base: 'started' } }),
    daemon('needs-both', { dependsOn: { base: 'ready', prepare: 'completed' } }),
    daemon('base', readyWhenFile(join(dir, 'base'))),
    task('prepare', `until [ -e ${dir}/prepared ]; do sleep 0.05; done`),
  ]);
  const phase = (name: string): string => supervisor.statusOf(name).phase;
  await supervisor.start();
  await supervisor.until('needs-started', 'ready');
  t.deepEqual([phase('base'), phase('needs-ready'), phase('needs-both')], ['starting', 'waiting', 'waiting']);

  await writeFile(join(supervisor.dir, 'base'), '');
  await supervisor.until('needs-ready', 'ready');
  t.deepEqual([phase('base'), phase('needs-both')], ['ready', 'waiting']);

  await writeFile(join(supervisor.dir, 'prepared'), '');
  await supervisor.until('needs-both', 'ready');
  t.is(phase('prepare'), 'completed');
});

test('a service that can make use of another before that is ready starts as soon as it can be reached', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    daemon('needs-reachable', { dependsOn: { base: 'reachable' } }),
    daemon('base', {
      ...readyWhenFile(join(dir, 'ready')),
      reachable: readyWhenFile(join(dir, 'reachable')).ready,
    }),
  ]);
  const phase = (name: string): string => supervisor.statusOf(name).phase;
  await supervisor.start();
  await supervisor.until('base', hasPid);
  t.is(phase('needs-reachable'), 'waiting');

  await writeFile(join(supervisor.dir, 'reachable'), '');
  await supervisor.until('needs-reachable', 'ready');
  t.is(phase('base'), 'starting');

  await writeFile(join(supervisor.dir, 'ready'), '');
  await supervisor.until('base', 'ready');
});

test('services that do not depend on each other start side by side', async (t) => {
  // Each gets ready only when it sees that all the others run.
  const names = ['a', 'b', 'c', 'd'];
  const supervisor = await supervise(t, (dir) => {
    const all = names.map((name) => `[ -e ${dir}/${name}.runs ]`).join(' && ');
    return names.map((name) =>
      daemon(name, {
        ...shell(
          `: >${dir}/${name}.runs; until ${all}; do sleep 0.05; done; : >${dir}/${name}; exec sleep 1000`,
        ),
        ...readyWhenFile(join(dir, name)),
      }),
    );
  });
  await supervisor.start();
  await Promise.all(names.map((name) => supervisor.until(name, 'ready')));
  t.pass();
});

test('a daemon without a probe is ready as soon as it runs', async (t) => {
  const supervisor = await supervise(t, () => [daemon('a')]);
  await supervisor.start();
  const { pid, startedAt, readyAt } = await supervisor.until('a', 'ready');
  t.true(pid !== undefined && startedAt !== undefined && readyAt !== undefined && readyAt >= startedAt);
});

test('the status is in the order of start, before it too', async (t) => {
  const supervisor = await supervise(t, () => [daemon('b', { dependsOn: { a: 'ready' } }), daemon('a')]);
  const statuses = supervisor.status();
  t.deepEqual(
    statuses.map(({ name, phase, restarts }) => ({ name, phase, restarts })),
    [
      { name: 'a', phase: 'waiting', restarts: 0 },
      { name: 'b', phase: 'waiting', restarts: 0 },
    ],
  );
});

test('a process has the environment of its definition and nothing else', async (t) => {
  const supervisor = await supervise(t, () => [
    task('env', '', { command: '/usr/bin/env', args: [], env: { A: '1', B: 'two words' } }),
  ]);
  await supervisor.start();
  await supervisor.until('env', 'completed');
  t.deepEqual((await linesOf(join(supervisor.dir, 'logs/env.log'))).sort(), ['A=1', 'B=two words']);
});

test('stdout and stderr go to the log, those of later processes after the first', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    task('talks', `echo out; echo err >&2; [ -e ${dir}/again ] || { : >${dir}/again; exit 1; }`, {
      restart: { when: 'on-failure', backoff: { initialMs: 1, maxMs: 1 } },
    }),
  ]);
  await supervisor.start();
  await supervisor.until('talks', 'completed');
  t.deepEqual(await linesOf(join(supervisor.dir, 'logs/talks.log')), ['out', 'err', 'out', 'err']);
});

test('a process leads a group of its own', async (t) => {
  const supervisor = await supervise(t, () => [daemon('a')]);
  await supervisor.start();
  const { pid } = await supervisor.until('a', hasPid);
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [, , group, session] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  t.deepEqual([group, session], [pid, pid]);
});

test('starting twice starts once', async (t) => {
  const supervisor = await supervise(t, (dir) => [
    daemon('a', {
      command: fixture('daemon.sh'),
      args: ['a', join(dir, 'journal'), join(dir, 'a')],
      ...readyWhenFile(join(dir, 'a')),
    }),
  ]);
  await Promise.all([supervisor.start(), supervisor.start()]);
  await supervisor.until('a', 'ready');
  await supervisor.stop('enough');
  t.deepEqual(await linesOf(join(supervisor.dir, 'journal')), ['a started', 'a stopped']);
});

test('definitions that could never start are refused', (t) => {
  const definitions = [
    daemon('a', { dependsOn: { b: 'ready' } }),
    daemon('b', { dependsOn: { a: 'ready' } }),
  ];
  t.throws(() => createSupervisor(definitions, { logs: '/nowhere', emit: () => {} }), {
    message: /a → b → a/,
  });
});
