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
  const recorder = createEventRecorder(client, 'publisher');
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

test('an Event that is refused fails nothing and is tried again', async (t) => {
  let asked = 0;
  const client = await clientOf(t, (_request, response) => json(response, ++asked === 1 ? 403 : 200, {}));
  const recorder = createEventRecorder(client, 'publisher');
  await recorder.record([event('taken')], signal);
  await recorder.record([event('taken')], signal);
  await recorder.record([event('taken')], signal);
  t.is(asked, 2);
});
