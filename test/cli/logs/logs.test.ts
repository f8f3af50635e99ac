import { appendFile, copyFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { createLogReader } from '#src/cli/logs/reader.js';
import { clusterHome } from '../cluster-home.js';
import { runCli, startCli } from '../run-cli.js';

async function withLogs(t: ExecutionContext, logs: Record<string, string>) {
  const { env, state } = await clusterHome(t);
  const path = (service: string): string => join(state, 'logs', `${service}.log`);
  for (const [service, text] of Object.entries(logs)) await writeFile(path(service), text);
  return { env, path };
}

const numbers = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('');

test('prints the whole log of one service as it is', async (t) => {
  const { env } = await withLogs(t, { etcd: numbers(1, 30), kubelet: 'no\n' });
  t.deepEqual(await runCli(['logs', 'etcd'], env), { exitCode: 0, stdout: numbers(1, 30), stderr: '' });
});

test('prints the last ten lines of several, the service before each', async (t) => {
  const { env } = await withLogs(t, { kubelet: 'a\n\nb', etcd: numbers(1, 12) });
  const { stdout } = await runCli(['logs'], env);
  t.is(stdout, `${numbers(3, 12).replace(/^(?=.)/gm, '[etcd] ')}[kubelet] a\n[kubelet] \n[kubelet] b\n`);
});

test('on a terminal each service has a colour of its own, unless NO_COLOR says otherwise', async (t) => {
  const { env } = await withLogs(t, { etcd: 'a\n', kubelet: 'b\n' });
  const onTerminal = async (more: object): Promise<string> =>
    (await startCli(['logs'], { ...env, ...more }, true).ended).stdout;
  t.is(await onTerminal({}), '\x1b[36m[etcd]\x1b[39m a\n\x1b[33m[kubelet]\x1b[39m b\n');
  t.is(await onTerminal({ NO_COLOR: '1' }), '[etcd] a\n[kubelet] b\n');
});

test('--tail counts from the end, also over more than is read at once', async (t) => {
  const { env } = await withLogs(t, { etcd: numbers(1, 20_000) });
  const tail = async (lines: number): Promise<string> =>
    (await runCli(['logs', 'etcd', '--tail', String(lines)], env)).stdout;
  t.is(await tail(0), '');
  t.is(await tail(1), 'line 20000\n');
  t.is(await tail(15_000), numbers(5_001, 20_000));
  t.is(await tail(30_000), numbers(1, 20_000));
});

test('the audit log is shown when it is asked for, its compressed parts included, and not among all', async (t) => {
  const { env, path } = await withLogs(t, { etcd: 'a\n', audit: record('12', 'now') });
  const older = path('audit-2026-11-28T11-00-00.000');
  await writeFile(`${older}.gz`, gzipSync(record('10', 'long ago') + record('11', 'before')));
  t.is((await runCli(['logs'], env)).stdout, '[etcd] a\n');
  t.is((await runCli(['logs', 'audit'], env)).stdout, record('12', 'now'));
  const since = await runCli(['logs', 'audit', '--since', '2026-11-28T10:30:00Z'], env);
  t.is(since.stdout, record('11', 'before') + record('12', 'now'));
});

/** As the API server writes it. */
const record = (hour: string, what: string): string =>
  `{"kind":"Event","requestURI":"/${what}","stageTimestamp":"2026-11-28T${hour}:00:00.000000Z"}\n`;

test('an unknown service is a usage error that lists the known', async (t) => {
  const { env } = await withLogs(t, { etcd: '', kubelet: '' });
  t.deepEqual(await runCli(['logs', 'etc'], env), {
    exitCode: 2,
    stdout: '',
    stderr: 'error[no-such-service]: "etc" has no log\n  fix: use one of etcd, kubelet\n',
  });
});

test('without any log it tells how to start the cluster', async (t) => {
  const { env } = await withLogs(t, {});
  const { exitCode, stderr } = await runCli(['logs'], env);
  t.is(exitCode, 1);
  t.regex(stderr, /fix: start the cluster: \.\/run\.sh/);
});

test('several logs are merged in the order of their times', async (t) => {
  const { env } = await withLogs(t, {
    etcd: '{"level":"warn","ts":"2026-11-23T07:00:02Z"}\n',
    launcher: '2026-11-23T07:00:01Z etcd: started\n2026-11-23T07:00:03Z etcd: done\n',
  });
  const { stdout } = await runCli(['logs'], env);
  t.deepEqual(
    stdout.split('\n').map((line) => line.split(' ')[0]),
    ['[launcher]', '[etcd]', '[launcher]', ''],
  );
});

test('--since looks into rotated logs too', async (t) => {
  const line = (minutesAgo: number): string =>
    `${new Date(Date.now() - minutesAgo * 60_000).toISOString()} ${minutesAgo} minutes ago\n`;
  const { env, path } = await withLogs(t, { kubelet: line(1) });
  await writeFile(`${path('kubelet')}.1`, line(30) + line(4));
  const { stdout } = await runCli(['logs', 'kubelet', '--since', '5m'], env);
  t.deepEqual(stdout.match(/\d+ minutes ago/g), ['4 minutes ago', '1 minutes ago']);
});

test('--since that is neither a span nor a time is a usage error', async (t) => {
  const { env } = await withLogs(t, { etcd: '' });
  t.like(await runCli(['logs', '--since', 'yesterday'], env), { exitCode: 2 });
});

test('-f goes on with new lines and new services until Ctrl-C, which ends it as it ends kubectl', async (t) => {
  const { env, path } = await withLogs(t, { etcd: 'one\n' });
  const cli = startCli(['logs', '-f'], env);
  await cli.printed('[etcd] one\n');
  await appendFile(path('etcd'), 'two\nhal');
  await cli.printed('[etcd] two\n');
  await appendFile(path('etcd'), 'f\n');
  await cli.printed('[etcd] half\n');
  await writeFile(path('kubelet'), 'hello\n');
  await cli.printed('[kubelet] hello\n');
  cli.interrupt();
  t.like(await cli.ended, { exitCode: 130, stderr: '' });
});

test('no line is lost or told twice when the log is rotated', async (t) => {
  const { path } = await withLogs(t, { etcd: numbers(1, 100) });
  const reader = createLogReader(path('etcd'));
  const read = async (): Promise<string> => {
    let text = '';
    for await (const lines of reader.read()) text += lines.toString();
    return text;
  };
  t.is(await read(), numbers(1, 100));
  await appendFile(path('etcd'), numbers(101, 110));
  await copyFile(path('etcd'), `${path('etcd')}.1`);
  await truncate(path('etcd'));
  await appendFile(path('etcd'), numbers(111, 112));
  t.is(await read(), numbers(101, 112));
  t.is(await read(), '');
  await rm(path('etcd'));
  t.is(await read(), '');
});
