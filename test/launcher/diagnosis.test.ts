import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { u7s } from '#src/lib/fixes.js';
import { culprit, isHopeless, lastWords, stillRunning, unready, remedy } from '#src/launcher/diagnosis.js';
import type { ServicePhase, ServiceStatus } from '#src/supervisor/definition.js';
import { temporary } from '../temporary.js';

const status = (name: string, phase: ServicePhase, more: Partial<ServiceStatus> = {}): ServiceStatus => ({
  name,
  phase,
  restarts: 0,
  since: 0,
  ...more,
});

test('a service is given up before it was ever ready: after five restarts, or when it takes too long', (t) => {
  t.false(isHopeless(status('etcd', 'backoff', { restarts: 4, lastExit: 'exit code 1' })));
  t.true(isHopeless(status('etcd', 'backoff', { restarts: 5, lastExit: 'exit code 1' })));
  t.true(isHopeless(status('etcd', 'backoff', { lastExit: 'not ready after 60 s: HTTP status 503' })));
  t.false(isHopeless(status('etcd', 'ready', { restarts: 9, readyAt: 1 })));
  t.true(isHopeless(status('bundled-images', 'failed')));
});

test('the fault lies in the first of those depended on that is not ready', (t) => {
  const definitions = [
    { name: 'etcd', dependsOn: {} },
    { name: 'kube-apiserver', dependsOn: { etcd: 'started' as const } },
    { name: 'kubelet', dependsOn: { 'kube-apiserver': 'ready' as const } },
  ];
  const blame = (etcd: ServicePhase): string =>
    culprit(
      'kubelet',
      definitions,
      new Map([
        ['etcd', status('etcd', etcd)],
        ['kube-apiserver', status('kube-apiserver', 'backoff')],
      ]),
    );
  t.is(blame('ready'), 'kube-apiserver');
  t.is(blame('starting'), 'etcd');
});

const logs: Record<string, [log: string, words: string]> = {
  'the panic of a Go program, not its stack': [
    '{"level":"warn","msg":"slow"}\npanic: failed to open database\n\ngoroutine 1 [running]:\nmain.go:1\n',
    'panic: failed to open database',
  ],
  'a fatal line in JSON': [
    '{"level":"fatal","ts":"2026-01-01","msg":"discovery failed","error":"no member"}\n{"level":"info","msg":"x"}\n',
    'discovery failed: no member',
  ],
  'an error line of klog without time and place': [
    'I1123 07:00:00.000000      44 x.go:1] starting\nE1123 07:00:00.000000      44 run.go:72] "command failed" err="bad flag"\n',
    '"command failed" err="bad flag"',
  ],
  'the last line, where none tells more': ['hello\nbye\n\n', 'bye'],
};
for (const [what, [log, words]] of Object.entries(logs)) {
  test(`the last words of a service are ${what}`, async (t) => {
    const file = join(await temporary(t), 'x.log');
    await writeFile(file, log);
    t.is(await lastWords(file), words);
  });
}

test('a service without a log has no last words', async (t) => {
  t.is(await lastWords(join(await temporary(t), 'missing.log')), undefined);
});

test('a service that lacks space is helped by space, any other by its log', (t) => {
  const log = '/state/logs/etcd.log';
  t.is(
    remedy('cannot write x: ENOSPC: no space left on device', 'etcd', log),
    'free space on the disk of /state',
  );
  const file = '/home/a/.config/usernetes/containerd.d/10-x.toml';
  t.is(remedy(`failed to load ${file}: expected =`, 'containerd', log), `correct ${file}, or remove it`);
  t.deepEqual(remedy('exit code 1', 'etcd', log), u7s(['logs', 'etcd'], { text: 'read its log' }));
});

test('a stop tells what it waits for', (t) => {
  const etcd = status('etcd', 'ready', { pid: 1 });
  t.is(stillRunning([status('kubelet', 'stopped'), etcd]), 'etcd');
  t.is(stillRunning([status('kubelet', 'stopped')]), 'namespaces');
});

test('a start that takes too long tells what is not ready, and why', (t) => {
  t.deepEqual(
    unready([
      status('etcd', 'ready'),
      status('bundled-images', 'completed'),
      status('kubelet', 'waiting'),
      status('kube-proxy', 'backoff', { lastExit: 'exit code 1' }),
    ]),
    ['kubelet (waiting)', 'kube-proxy (backoff, exit code 1)'],
  );
});
