import test, { type ExecutionContext } from 'ava';
import { expelNode } from '#src/membership/remove-node.js';
import { clientOf, json, removePki } from '../kube/fake-api.js';

test.after.always(removePki);

/** A cluster with a record and a node b, which registers itself again so many times after it was deleted. */
async function clusterOf(t: ExecutionContext, { hasNode = true, comesBack = 0, data = {} }) {
  const done: string[] = [];
  let isThere = hasNode;
  let left = comesBack;
  const client = await clientOf(t, ({ method = '', url = '' }, response, body) => {
    const name = url.split('/').at(-1);
    if (method !== 'GET') done.push(`${method} ${name} ${/"removed\.b"/.exec(body)?.[0] ?? ''}`.trim());
    if (name === 'usernetes-members')
      return json(response, 200, { metadata: { resourceVersion: '1' }, data });
    if (method === 'DELETE') isThere = left-- > 0;
    if (!isThere && method === 'GET') return json(response, 404, { message: 'not found' });
    json(response, 200, { metadata: { name: 'b' }, status: {} });
  });
  return { done, remove: () => expelNode(client, 'b', () => undefined, AbortSignal.timeout(30_000)) };
}

test('the removal is recorded before the node is deleted', async (t) => {
  const { done, remove } = await clusterOf(t, {});
  await remove();
  t.deepEqual(done, ['PATCH b', 'PATCH usernetes-members "removed.b"', 'DELETE b']);
});

test('a node that registers itself again in the same moment is deleted again', async (t) => {
  const { done, remove } = await clusterOf(t, { comesBack: 2 });
  await remove();
  t.is(done.filter((each) => each === 'DELETE b').length, 3);
});

test('a node that was admitted and has not come yet can be removed, one that nobody knows cannot', async (t) => {
  const admitted = await clusterOf(t, { hasNode: false, data: { 'node.b': '{}' } });
  await admitted.remove();
  t.deepEqual(admitted.done, ['PATCH usernetes-members "removed.b"']);
  const unknown = await clusterOf(t, { hasNode: false });
  await t.throwsAsync(unknown.remove(), { code: 'no-such-node' });
  t.deepEqual(unknown.done, []);
});
