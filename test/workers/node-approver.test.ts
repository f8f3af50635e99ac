import test, { type ExecutionContext } from 'ava';
import { joiningGroup, signers } from '#src/membership/approval.js';
import { createRequest } from '#src/pki/request.js';
import { nodeApprover } from '#src/workers/node-approver.js';
import { json, line, removePki, serveApi } from '../kube/fake-api.js';
import { until } from '../launcher/harness.js';

test.after.always(removePki);

/** The request of a host with a token that wants to become the node `name`. */
async function joining(name: string): Promise<object> {
  const spec = { commonName: `system:node:${name}`, organization: 'system:nodes', hosts: [] };
  const { requestPem } = await createRequest(spec as unknown as Parameters<typeof createRequest>[0]);
  return {
    metadata: {
      name: `join-${name}`,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: {
      request: Buffer.from(requestPem).toString('base64'),
      signerName: signers.kubelet,
      username: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', joiningGroup],
      usages: ['digital signature', 'client auth'],
    },
  };
}

/** The worker against an API that has `requests` and a node `a`; what it answers, and how to let further requests appear. */
async function approve(t: ExecutionContext, requests: object[], refusals = 0) {
  const answers: string[] = [];
  const watchers: ((text: string) => void)[] = [];
  let left = refusals;
  const api = await serveApi(t, (request, response, body) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://api');
    if (request.method !== 'GET') {
      if (left-- > 0) return json(response, 503, { message: 'later' });
      answers.push(`${pathname.split('/').slice(-2).join('/')} ${body}`);
      return json(response, 200, {});
    }
    if (searchParams.get('watch') === 'true') {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      if (pathname.includes('signing')) watchers.push((text) => response.write(text));
      return;
    }
    const node = { metadata: { name: 'a', uid: 'a', resourceVersion: '1' } };
    const items = pathname.endsWith('/nodes') ? [node] : requests;
    json(response, 200, { metadata: { resourceVersion: '1' }, items });
  });
  const life = new AbortController();
  const ports = { publish: () => Promise.resolve([]) };
  const context = { since: new Date(), ports, report: () => undefined };
  const done = nodeApprover(api).run(context, life.signal);
  t.teardown(async () => {
    life.abort();
    await done;
  });
  return {
    answers,
    appear: async (object: object) => {
      await until(() => watchers.length > 0);
      watchers.forEach((write) => write(line('ADDED', object)));
    },
  };
}

test('a new node is approved, one whose name is taken denied', async (t) => {
  const { answers } = await approve(t, [await joining('b'), await joining('a')]);
  await until(() => answers.length >= 2);
  const of = (name: string): string => answers.find((text) => text.startsWith(`join-${name}/approval`)) ?? '';
  t.regex(of('b'), /"type":"Approved"/);
  t.regex(of('a'), /"type":"Denied".*has a node a already/);
});

test('a request that comes later is answered, too', async (t) => {
  const { answers, appear } = await approve(t, []);
  await appear(await joining('c'));
  await until(() => answers.length > 0);
  t.regex(answers[0] ?? '', /^join-c\/approval .*"Approved"/);
});

test('an answer that the API does not take is given again', async (t) => {
  const { answers } = await approve(t, [await joining('b')], 1);
  await until(() => answers.length > 0);
  t.regex(answers[0] ?? '', /^join-b\/approval .*"Approved"/);
});

test('what cannot be read is denied', async (t) => {
  const request = (await joining('d')) as { spec: { request: string } };
  request.spec.request = 'bm90aGluZw==';
  const { answers } = await approve(t, [request]);
  await until(() => answers.length > 0);
  t.regex(answers[0] ?? '', /"Denied"/);
});
