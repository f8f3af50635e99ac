import type { ServerResponse } from 'node:http';
import test from 'ava';
import { KubeError } from '#src/kube/errors.js';
import { waitForDeploymentAvailable, waitForNodeReady } from '#src/kube/wait.js';
import { clientOf, json, line, removePki } from './fake-api.js';

test.after.always(removePki);

const node = (name: string, ready: boolean, reported = new Date()): object => ({
  metadata: { name },
  status: {
    conditions: [
      { type: 'Ready', status: ready ? 'True' : 'False', lastHeartbeatTime: wholeSeconds(reported) },
    ],
  },
});

/** As the API writes times. */
const wholeSeconds = (date: Date): string => date.toISOString().replace(/\.\d+/, '');
/** Of this process: what is ready from then on is so since the restart. */
const start = new Date(performance.timeOrigin);
const yesterday = new Date(Date.now() - 24 * 3600_000);

test('waiting for a node sees it become ready, over ended streams and a restarting server', async (t) => {
  const answers: ((response: ServerResponse) => void)[] = [
    (response) => response.end(),
    (response) => response.end(line('ADDED', node('node1', false))),
    (response) => json(response, 503, { message: 'starting' }),
    (response) => response.destroy(),
    (response) => {
      response.write(line('ADDED', node('node1', false)));
      response.write(line('MODIFIED', node('node1', true)));
    },
  ];
  const urls = new Set<string | undefined>();
  const client = await clientOf(t, (request, response) => {
    urls.add(request.url);
    answers.shift()?.(response);
  });
  await waitForNodeReady(client, 'node1', start, new AbortController().signal);
  t.is(answers.length, 0);
  t.deepEqual([...urls], ['/api/v1/nodes?fieldSelector=metadata.name%3Dnode1&watch=true']);
});

test('a node that was ready before the restart is not taken for ready', async (t) => {
  const reports = [yesterday, new Date()];
  const client = await clientOf(t, (_request, response) => {
    const report = reports.shift();
    response.end(line('ADDED', node('node1', true, report)));
  });
  await waitForNodeReady(client, 'node1', start, new AbortController().signal);
  t.is(reports.length, 0);
});

test('waiting for a Deployment counts its pods that were started since', async (t) => {
  const pod = (name: string, ready: boolean, startedAt = new Date()): object => ({
    metadata: { name },
    spec: { nodeName: 'node1' },
    status: {
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
      containerStatuses: [{ state: { running: { startedAt: wholeSeconds(startedAt) } } }],
    },
  });
  const urls: (string | undefined)[] = [];
  const events = [
    line('ADDED', pod('a', true, yesterday)),
    line('ADDED', pod('b', true)),
    line('DELETED', pod('b', true)),
    line('ADDED', pod('c', true)),
    line('MODIFIED', pod('a', false, yesterday)),
    line('MODIFIED', pod('a', true)),
  ];
  let sent = 0;
  const client = await clientOf(t, (request, response) => {
    urls.push(request.url);
    const spec = { replicas: 2, selector: { matchLabels: { app: 'dns' } } };
    if (request.url?.includes('/deployments?'))
      response.end(line('ADDED', { metadata: { name: 'dns' }, spec }));
    else {
      const next = (): void => {
        const event = events.shift();
        if (event !== undefined) response.write(event, () => setImmediate(next));
        sent += 1;
      };
      next();
    }
  });
  await waitForDeploymentAvailable(
    client,
    'kube-system',
    'dns',
    { since: start, node: 'node1' },
    new AbortController().signal,
  );
  t.true(sent >= 6);
  t.true(urls.at(-1)?.startsWith('/api/v1/namespaces/kube-system/pods?labelSelector=app%3Ddns'));
});

test('pods of other nodes have gone on running, however long ago they were started', async (t) => {
  const client = await clientOf(t, (request, response) => {
    const spec = { replicas: 1, selector: { matchLabels: { app: 'dns' } } };
    const status = {
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [{ state: { running: { startedAt: wholeSeconds(yesterday) } } }],
    };
    const object = request.url?.includes('/deployments?')
      ? { metadata: { name: 'dns' }, spec }
      : { metadata: { name: 'a' }, spec: { nodeName: 'node2' }, status };
    response.end(line('ADDED', object));
  });
  const signal = AbortSignal.timeout(5_000);
  await t.notThrowsAsync(
    waitForDeploymentAvailable(client, 'kube-system', 'dns', { since: new Date(), node: 'node1' }, signal),
  );
});

test('waiting for a node ends with its signal, and at once when it is not allowed', async (t) => {
  const controller = new AbortController();
  const silent = await clientOf(t, () => controller.abort(new Error('stopped')));
  await t.throwsAsync(waitForNodeReady(silent, 'node1', start, controller.signal), { message: 'stopped' });
  const strict = await clientOf(t, (_request, response) => json(response, 403, { message: 'no' }));
  await t.throwsAsync(waitForNodeReady(strict, 'node1', start, new AbortController().signal), {
    instanceOf: KubeError,
  });
});

test('waiting for a Deployment ends when a pod of it crashes now, not for a crash of before the restart', async (t) => {
  const crashing = (name: string, finishedAt: Date): object => ({
    metadata: { name },
    spec: { nodeName: 'node1' },
    status: {
      containerStatuses: [
        {
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { finishedAt: wholeSeconds(finishedAt), message: 'first\nlast words\n' } },
        },
      ],
    },
  });
  const deployment = {
    metadata: { name: 'dns' },
    spec: { replicas: 1, selector: { matchLabels: { app: 'dns' } } },
  };
  const client = await clientOf(t, ({ url }, response) => {
    if (url?.includes('/deployments')) return void response.end(line('ADDED', deployment));
    response.write(line('ADDED', crashing('old', yesterday)));
    response.write(line('ADDED', crashing('new', new Date())));
  });
  const { signal } = new AbortController();
  const waiting = waitForDeploymentAvailable(
    client,
    'kube-system',
    'dns',
    { since: start, node: 'node1' },
    signal,
  );
  await t.throwsAsync(waiting, { code: 'pod-crashes', message: /last words/ });
});
