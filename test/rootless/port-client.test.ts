import { join } from 'node:path';
import test from 'ava';
import { U7sError } from '#src/lib/errors.js';
import { u7s } from '#src/lib/fixes.js';
import { createPortClient, RootlessKitError } from '#src/rootless/api-client.js';
import { parsePortSpec } from '#src/rootless/port-spec.js';
import { temporary } from '../temporary.js';
import { fakeRootlessKit, publishing, refuse } from './fake-rootlesskit.js';

/** A signal that is never aborted. */
const never = (): AbortSignal => new AbortController().signal;
const spec = parsePortSpec('127.0.0.1:8080:80/tcp');

test('ports are added and listed in the order of their IDs, with the address that was left out', async (t) => {
  const { socket, asked } = await fakeRootlessKit(t, ({ method }) =>
    method === 'POST'
      ? {
          status: 201,
          body: '{"id":2,"spec":{"proto":"tcp","parentIP":"127.0.0.1","parentPort":8080,"childPort":80}}',
        }
      : {
          status: 200,
          body: '[{"id":10,"spec":{"proto":"udp","parentPort":53,"childPort":53}},{"id":2,"spec":{"proto":"tcp","parentIP":"127.0.0.1","parentPort":8080,"childPort":80}}]',
        },
  );
  const client = createPortClient(socket);
  t.deepEqual(await client.add(spec, never()), { id: 2, spec });
  t.deepEqual(await client.list(never()), [
    { id: 2, spec },
    { id: 10, spec: { proto: 'udp', parentIP: '', parentPort: 53, childPort: 53 } },
  ]);
  t.deepEqual(asked, [
    'POST /v1/ports {"proto":"tcp","parentIP":"127.0.0.1","parentPort":8080,"childPort":80}',
    'GET /v1/ports',
  ]);
});

test('no ports are an empty list', async (t) => {
  const { socket } = await fakeRootlessKit(t, publishing());
  t.deepEqual(await createPortClient(socket).list(never()), []);
});

test('a port is removed by its ID', async (t) => {
  const { socket, asked } = await fakeRootlessKit(t, () => ({ status: 200, body: '' }));
  await createPortClient(socket).remove(7, never());
  t.deepEqual(asked, ['DELETE /v1/ports/7']);
});

for (const [said, reason] of [
  ['conflict with ID 3', 'conflict'],
  ['listen tcp 127.0.0.1:8080: bind: address already in use', 'in-use'],
  ['cannot expose privileged port 80, you can add … (currently 1024): bind: permission denied', 'privileged'],
  ['listen tcp 10.9.9.9:8080: bind: cannot assign requested address', 'no-address'],
  ['unsupported port protocol sctp', 'other'],
] as const) {
  test(`a refusal brings RootlessKit's words and is told as ${reason}`, async (t) => {
    const { socket } = await fakeRootlessKit(t, () => refuse(said));
    const error = await t.throwsAsync(createPortClient(socket).add(spec, never()), {
      instanceOf: RootlessKitError,
    });
    t.like(error, { said, reason, message: said });
  });
}

test('an error that is no JSON is told as it is', async (t) => {
  const { socket } = await fakeRootlessKit(t, ({ method }) => ({
    status: 404,
    body: method === 'GET' ? '' : 'no page\n',
  }));
  await t.throwsAsync(createPortClient(socket).remove(1, never()), { message: 'no page' });
  await t.throwsAsync(createPortClient(socket).info(never()), {
    message: 'RootlessKit answered with HTTP status 404',
  });
});

test('where nobody listens, the error says how to start the cluster', async (t) => {
  const socket = join(await temporary(t), 'api.sock');
  const error = await t.throwsAsync(createPortClient(socket).list(never()), { instanceOf: U7sError });
  t.is(error.message, `RootlessKit does not answer on ${socket}: ENOENT`);
  t.is(error.code, 'rootlesskit-unreachable');
  t.deepEqual(error.fixes, [u7s(['up'], { text: 'start the cluster' })]);
});

test('a wait for an answer ends with the signal, with its reason', async (t) => {
  const controller = new AbortController();
  const reason = new Error('interrupted');
  const { socket } = await fakeRootlessKit(t, () => {
    controller.abort(reason);
    return new Promise(() => undefined);
  });
  t.is(await t.throwsAsync(createPortClient(socket).list(controller.signal)), reason);
});
