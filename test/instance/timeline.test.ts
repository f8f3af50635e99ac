import test from 'ava';
import { timelineSvg } from '#src/cli/timeline/svg.js';
import { timelineText } from '#src/cli/timeline/text.js';
import {
  createTimelineRecorder,
  criticalPath,
  type Bar,
  type Timeline,
} from '#src/instance/timeline/recorder.js';
import type { StepEvent } from '#src/lib/events.js';
import { nodeServices } from '#src/plan/node-services.js';
import { runtimes } from '#src/runtimes/table.js';
import { context } from '../services/context.js';

const bar = (id: string, start: number, end: number, dependsOn: Bar['dependsOn'] = {}): Bar => ({
  id,
  title: id,
  start,
  end,
  dependsOn,
});

test('the critical path leads from the last end back over what was waited for longest', (t) => {
  const bars = [
    bar('quick', 0, 10),
    bar('slow', 0, 50),
    bar('middle', 50, 60, { quick: 'ready', slow: 'ready' }),
    bar('aside', 10, 55, { quick: 'ready' }),
    bar('last', 60, 100, { middle: 'completed' }),
  ];
  t.deepEqual(criticalPath(bars), ['slow', 'middle', 'last']);
});

test('what only had to be started counts from its start', (t) => {
  const bars = [
    bar('first', 0, 20),
    bar('store', 20, 60),
    bar('server', 21, 90, { store: 'started', first: 'completed' }),
  ];
  t.deepEqual(criticalPath(bars), ['store', 'server']);
});

test('nothing, unknown dependencies and what ended later do no harm', (t) => {
  t.deepEqual(criticalPath([]), []);
  t.deepEqual(criticalPath([bar('a', 0, 5, { missing: 'ready' })]), ['a']);
  const bars = [
    bar('late', 0, 30),
    bar('a', 1, 40, { b: 'ready', late: 'ready' }),
    bar('b', 2, 50, { a: 'started' }),
  ];
  t.deepEqual(criticalPath(bars), ['late', 'a', 'b']);
});

test('a start is recorded from its events, each service with what it waits for', async (t) => {
  let now = 1_000;
  const passedOn: string[] = [];
  const recorder = createTimelineRecorder(
    (event) => void (event.kind === 'step' && passedOn.push(event.id)),
    () => now,
  );
  const tell = (id: string, state: StepEvent['state'], after: number): void => {
    now += after;
    recorder.report({ kind: 'step', id, title: id, state });
  };
  await recorder.time('host', 'host checks', () => Promise.resolve((now += 5)));
  tell('namespaces', 'started', 0);
  tell('download/etcd', 'started', 0);
  tell('namespaces', 'done', 20);
  tell('service/etcd', 'started', 1);
  tell('service/etcd', 'started', 10); // it had to be started again
  tell('service/kube-apiserver', 'started', 0);
  tell('service/etcd', 'done', 10);
  tell('service/kube-apiserver', 'done', 30);
  tell('node', 'started', 1);
  const { cluster, startedAt, bars } = recorder.finish('default', nodeServices(context, runtimes.containerd));
  t.deepEqual([cluster, startedAt], ['default', 1_000]);
  t.deepEqual(
    bars.map(({ id, start, end }) => [id, start, end]),
    [
      ['host', 0, 5],
      ['namespaces', 5, 25],
      ['service/etcd', 26, 46],
      ['service/kube-apiserver', 36, 76],
    ],
    'what has not ended is left out',
  );
  t.deepEqual(bars[3]?.dependsOn, { 'service/etcd': 'started' });
  t.deepEqual(bars[2]?.dependsOn, { pki: 'completed', images: 'completed', namespaces: 'completed' });
  t.true(passedOn.includes('download/etcd'));
});

const timeline: Timeline = {
  cluster: 'default',
  startedAt: Date.UTC(2026, 10, 23, 7),
  bars: [
    bar('host', 0, 200),
    bar('pki & keys', 200, 260, { host: 'completed' }),
    bar('etcd', 300, 900, { host: 'completed' }),
    bar('node', 900, 4_000, { etcd: 'ready' }),
  ],
};

test('as text', (t) => t.snapshot(timelineText(timeline, 80)));

test('as SVG', (t) => t.snapshot(timelineSvg(timeline)));
