import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import test from 'ava';
import type { WatchEvent } from '#src/kube/client.js';
import { KubeError } from '#src/kube/errors.js';
import { objectPath } from '#src/kube/object.js';
import { clientOf, json, line, removePki } from './fake-api.js';

test.after.always(removePki);

test('a request shows who asks, and connections are kept', async (t) => {
  const ports = new Set<number | undefined>();
  const client = await clientOf(t, (request, response) => {
    ports.add(request.socket.remotePort);
    json(response, 200, (request.socket as TLSSocket).getPeerCertificate().subject);
  });
  t.deepEqual(await client.get('/whoami'), { O: 'system:masters', CN: 'kubernetes-admin' });
  await client.get('/whoami');
  t.is(ports.size, 1);
});

test('an answer that is not JSON is text', async (t) => {
  const client = await clientOf(t, (_request, response) => response.end('ok'));
  t.is(await client.get('/readyz'), 'ok');
});

test('a refusal carries the status, the reason and the message of the server', async (t) => {
  const client = await clientOf(t, (_request, response) =>
    json(response, 404, { kind: 'Status', message: 'nodes "x" not found', reason: 'NotFound' }),
  );
  const error = await t.throwsAsync(client.get('/api/v1/nodes/x'), { instanceOf: KubeError });
  t.is(error.status, 404);
  t.is(error.reason, 'NotFound');
  t.is(error.code, 'api-not-found');
  t.is(error.message, 'GET /api/v1/nodes/x: nodes "x" not found');
});

test('an error of something else than the API server is told too', async (t) => {
  const client = await clientOf(t, (_request, response) => response.writeHead(502).end('bad gateway\n'));
  await t.throwsAsync(client.get('/version'), {
    instanceOf: KubeError,
    code: 'api-refused',
    message: 'GET /version: bad gateway',
  });
});

test('apply patches the object at its path', async (t) => {
  const seen: unknown[] = [];
  const client = await clientOf(t, (request, response, body) => {
    seen.push([request.method, request.url, request.headers['content-type'], JSON.parse(body)]);
    json(response, 200, {});
  });
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', namespace: 'n' },
    data: { a: 'ä' },
  };
  await client.apply(object, { fieldManager: 'usernetes' });
  t.deepEqual(seen, [
    [
      'PATCH',
      '/api/v1/namespaces/n/configmaps/c?fieldManager=usernetes&force=true',
      'application/apply-patch+yaml',
      object,
    ],
  ]);
});

test('objects of every kind have a path', (t) => {
  const path = (apiVersion: string, kind: string, namespace?: string): string =>
    objectPath({
      apiVersion,
      kind,
      metadata: { name: 'x', ...(namespace === undefined ? {} : { namespace }) },
    });
  t.is(path('v1', 'Node'), '/api/v1/nodes/x');
  t.is(path('v1', 'Pod'), '/api/v1/namespaces/default/pods/x');
  t.is(path('apps/v1', 'DaemonSet', 'kube-system'), '/apis/apps/v1/namespaces/kube-system/daemonsets/x');
  t.is(path('storage.k8s.io/v1', 'StorageClass'), '/apis/storage.k8s.io/v1/storageclasses/x');
  t.is(
    path('networking.k8s.io/v1', 'NetworkPolicy', 'n'),
    '/apis/networking.k8s.io/v1/namespaces/n/networkpolicies/x',
  );
});

test('an answer that does not come in time is an error', async (t) => {
  const client = await clientOf(t, () => undefined);
  await t.throwsAsync(client.get('/version', { timeoutMs: 50 }), {
    code: 'api-unreachable',
    message: /0.05 s/,
  });
});

test('nor is one waited for that stops half-way', async (t) => {
  const client = await clientOf(t, (_request, response) => response.write('{'));
  await t.throwsAsync(client.get('/version', { timeoutMs: 200 }), {
    code: 'api-unreachable',
    message: /0.2 s/,
  });
});

test('a request ends with its signal, and with its reason', async (t) => {
  const controller = new AbortController();
  const client = await clientOf(t, () => controller.abort(new Error('enough')));
  await t.throwsAsync(client.get('/version', { signal: controller.signal }), { message: 'enough' });
  await t.throwsAsync(client.get('/version', { signal: controller.signal }), { message: 'enough' });
});

test('watch yields whole events wherever the stream is cut, until the server ends it', async (t) => {
  const events = [
    ['ADDED', { metadata: { name: 'Zoë' } }],
    ['MODIFIED', { metadata: { name: '日本' } }],
  ] as const;
  const urls: (string | undefined)[] = [];
  const client = await clientOf(t, (request, response) => {
    urls.push(request.url);
    const bytes = Buffer.from(events.map(([type, object]) => line(type, object)).join(''));
    const sendFrom = (index: number): void => {
      if (index === bytes.length) response.end('{"type":"ADDED","obj');
      else response.write(bytes.subarray(index, index + 1), () => setImmediate(sendFrom, index + 1));
    };
    sendFrom(0);
  });
  const seen: WatchEvent<unknown>[] = [];
  const { signal } = new AbortController();
  for await (const event of client.watch('/api/v1/nodes?labelSelector=a%3Db', {
    resourceVersion: '7',
    signal,
  })) {
    seen.push(event);
  }
  t.deepEqual(seen.map(({ type, object }) => [type, object]) as unknown, events);
  t.deepEqual(urls, ['/api/v1/nodes?labelSelector=a%3Db&watch=true&resourceVersion=7']);
});

test('watch ends quietly with its signal', async (t) => {
  const client = await clientOf(t, (_request, response) =>
    response.write(line('ADDED', { metadata: { name: 'a' } })),
  );
  const controller = new AbortController();
  let count = 0;
  for await (const _event of client.watch('/api/v1/nodes', { signal: controller.signal })) {
    count += 1;
    controller.abort();
  }
  t.is(count, 1);
});

test('leaving a watch closes its connection', async (t) => {
  let closed: Promise<unknown> | undefined;
  const client = await clientOf(t, (_request, response) => {
    closed = once(response, 'close');
    response.write(line('ADDED', { metadata: { name: 'a' } }));
  });
  for await (const _event of client.watch('/api/v1/nodes', { signal: new AbortController().signal })) break;
  await closed;
  t.pass();
});

test('an error event and an error status end a watch', async (t) => {
  const { signal } = new AbortController();
  const client = await clientOf(t, (request, response) =>
    request.url?.startsWith('/gone')
      ? response.end(line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }))
      : json(response, 403, { reason: 'Forbidden', message: 'no' }),
  );
  const drain = async (path: string): Promise<void> => {
    for await (const _event of client.watch(path, { signal })) t.fail();
  };
  t.like(await t.throwsAsync(drain('/gone'), { instanceOf: KubeError }), { status: 410, reason: 'Expired' });
  t.like(await t.throwsAsync(drain('/no'), { instanceOf: KubeError }), { status: 403, reason: 'Forbidden' });
});
