import test from 'ava';
import { createEventRecorder, type KubeEvent } from '#src/kube/events.js';
import { clientOf, json, removePki } from './fake-api.js';

test.after.always(removePki);

const { signal } = new AbortController();
const event = (message: string): KubeEvent => ({
  regarding: { kind: 'Service', namespace: 'n', name: 'web', uid: 'u1' },
  type: 'Warning',
  reason: 'PortNotPublished',
  message,
});

test('what is the case is told once, and again when it was over', async (t) => {
  const told: { path: string; body: Record<string, unknown> }[] = [];
  const client = await clientOf(t, (request, response, body) => {
    told.push({ path: request.url ?? '', body: JSON.parse(body) as Record<string, unknown> });
    json(response, 200, {});
  });
  const recorder = createEventRecorder(client, { component: 'publisher', host: 'node1' });
  await recorder.record([event('taken')], signal);
  await recorder.record([event('taken')], signal);
  t.is(told.length, 1);
  t.like(told[0]?.body, {
    involvedObject: { apiVersion: 'v1', kind: 'Service', namespace: 'n', name: 'web', uid: 'u1' },
    type: 'Warning',
    reason: 'PortNotPublished',
    message: 'taken',
    count: 1,
  });
  t.regex(
    told[0]?.path ?? '',
    /^\/api\/v1\/namespaces\/n\/events\/web\.[0-9a-f]{16}\?fieldManager=publisher/,
  );
  await recorder.record([], signal);
  await recorder.record([event('taken'), event('taken by another')], signal);
  t.is(told.length, 3);
  t.is(told[1]?.path, told[0]?.path);
  t.not(told[2]?.path, told[0]?.path);
});

test('what two nodes say of an object are two Events, each with its node', async (t) => {
  const told: { path: string; source: unknown }[] = [];
  const client = await clientOf(t, (request, response, body) => {
    told.push({ path: request.url ?? '', source: (JSON.parse(body) as { source: unknown }).source });
    json(response, 200, {});
  });
  for (const host of ['node1', 'node2'])
    await createEventRecorder(client, { component: 'publisher', host }).record([event('taken')], signal);
  t.deepEqual(
    told.map(({ source }) => source),
    ['node1', 'node2'].map((host) => ({ component: 'publisher', host })),
  );
  t.not(told[0]?.path, told[1]?.path);
});

test('an Event that is refused fails nothing and is tried again', async (t) => {
  let asked = 0;
  const client = await clientOf(t, (_request, response) => json(response, ++asked === 1 ? 403 : 200, {}));
  const recorder = createEventRecorder(client, { component: 'publisher', host: 'node1' });
  await recorder.record([event('taken')], signal);
  await recorder.record([event('taken')], signal);
  await recorder.record([event('taken')], signal);
  t.is(asked, 2);
});
