import test from 'ava';
import { unlessPressed } from '#src/workers/bring-up.js';
import { clientOf, json, line, removePki } from '../kube/fake-api.js';

test.after.always(removePki);

const since = new Date('2026-11-28T12:00:00Z');
const node = (lastHeartbeatTime: string, status = 'True') => ({
  kind: 'Node',
  metadata: { name: 'a', resourceVersion: '1' },
  status: { conditions: [{ type: 'DiskPressure', status, lastHeartbeatTime }] },
});
const { signal } = new AbortController();

test('pods are not waited for on a node without room on its disk', async (t) => {
  const client = await clientOf(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(line('ADDED', node('2026-11-28T12:00:05Z')));
  });
  const forever = (until: AbortSignal): Promise<void> =>
    new Promise((resolve) => until.addEventListener('abort', () => resolve()));
  await t.throwsAsync(unlessPressed(client, 'a', since, signal, forever), { code: 'node-pressure' });
});

test('what was true before the start does not count, nor does pressure that is over', async (t) => {
  const client = await clientOf(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(line('ADDED', node('2026-11-28T11:59:00Z')));
    response.write(line('MODIFIED', node('2026-11-28T12:00:05Z', 'False')));
  });
  const soon = () => new Promise<string>((resolve) => setTimeout(() => resolve('scheduled'), 100));
  t.is(await unlessPressed(client, 'a', since, signal, soon), 'scheduled');
});

test('a refusal of the API does not hide what the work found', async (t) => {
  const client = await clientOf(t, (_, response) => json(response, 200, {}));
  const failing = (): Promise<never> => Promise.reject(new Error('no such deployment'));
  await t.throwsAsync(unlessPressed(client, 'a', since, signal, failing), { message: 'no such deployment' });
});
