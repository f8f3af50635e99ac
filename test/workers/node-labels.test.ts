import test from 'ava';
import { labelNode } from '#src/workers/bring-up.js';
import { clientOf, json, removePki } from '../kube/fake-api.js';

test.after.always(removePki);

test('a node that was registered before gets the labels that its settings have now', async (t) => {
  const asked: unknown[] = [];
  const client = await clientOf(t, ({ method, url }, response, body) => {
    asked.push([method, url, JSON.parse(body)]);
    json(response, 200, {});
  });
  const { signal } = new AbortController();
  await labelNode(client, { nodeName: 'a', nodeLabels: {} }, signal);
  t.deepEqual(asked, []);
  await labelNode(client, { nodeName: 'a', nodeLabels: { disk: 'ssd' } }, signal);
  t.deepEqual(asked, [['PATCH', '/api/v1/nodes/a', { metadata: { labels: { disk: 'ssd' } } }]]);
});
