import { createHash, X509Certificate } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { addressAnnotation, joiningGroup, signers } from '#src/membership/approval.js';
import { createAuthority, issueCertificate } from '#src/pki/ca.js';
import { workerCertificates } from '#src/pki/certificates.js';
import { createRequest } from '#src/pki/request.js';
import { nodeApprover } from '#src/workers/node-approver.js';
import { json, line, removePki, serveApi } from '../kube/fake-api.js';

test.after.always(removePki);

/** A busy machine may take long. */
async function until(isTrue: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`it did not come true: ${isTrue.toString()}`);
    await delay(5);
  }
}

/** The request of a host with a token that wants to become the node `name`. */
async function joining(name: string, address = '192.0.2.11', token = 'abcdef') {
  const spec = { commonName: `system:node:${name}`, organization: 'system:nodes', hosts: [] };
  const { requestPem } = await createRequest(spec as unknown as Parameters<typeof createRequest>[0]);
  return {
    metadata: {
      name: `join-${name}`,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: new Date().toISOString(),
      annotations: { [addressAnnotation]: address },
    },
    spec: {
      request: Buffer.from(requestPem).toString('base64'),
      signerName: signers.kubelet as string,
      username: `system:bootstrap:${token}`,
      groups: ['system:bootstrappers', joiningGroup],
      usages: ['digital signature', 'client auth'],
    },
  };
}

/** What node `name` asks for by its own certificate. */
async function renewing(name: string) {
  const request = await joining(name);
  Object.assign(request.metadata, { name: `of-${name}`, uid: `of-${name}` });
  Object.assign(request.spec, { username: `system:node:${name}`, groups: ['system:nodes'] });
  return request;
}

type Given = { requests?: object[]; nodes?: object[]; record?: Record<string, string>; refusals?: number };

const node = (name: string, address: string, creationTimestamp = '2026-01-01T00:00:00Z') => ({
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp },
  status: { addresses: [{ type: 'InternalIP', address }] },
});
const theOnly = node('a', '192.0.2.10');
const adopted = { adopted: '2026-01-01T00:00:00Z' };

/** The worker against an API with what is given; what it answers, the record it keeps, and how to let things appear and go. */
async function approve(t: ExecutionContext, given: Given) {
  const { requests = [], nodes = [theOnly], record = adopted, refusals = 0 } = given;
  const answers: string[] = [];
  const deleted: string[] = [];
  const watchers = new Map<string, (text: string) => void>();
  const data: Record<string, string> = { ...record };
  const members = { metadata: { name: 'members', uid: 'm', resourceVersion: '1' }, data };
  let left = refusals;
  const api = await serveApi(t, (request, response, body) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://api');
    const kind = pathname
      .split('/')
      .find((part) => /^(configmaps|nodes|certificatesigningrequests)$/.test(part));
    if (request.method === 'PATCH' && kind === 'configmaps') {
      const { metadata, data: change } = JSON.parse(body) as {
        metadata: { resourceVersion: string };
        data: Record<string, string | null>;
      };
      if (metadata.resourceVersion !== members.metadata.resourceVersion)
        return json(response, 409, { message: 'conflict' });
      for (const [key, value] of Object.entries(change))
        if (value === null) delete data[key];
        else data[key] = value;
      members.metadata.resourceVersion = String(Number(members.metadata.resourceVersion) + 1);
      return json(response, 200, members);
    }
    if (request.method === 'PATCH') {
      if (left-- > 0) return json(response, 503, { message: 'later' });
      answers.push(`${pathname.split('/').slice(-2).join('/')} ${body}`);
      return json(response, 200, {});
    }
    if (request.method === 'DELETE') {
      deleted.push(pathname.split('/').at(-1) ?? '');
      return json(response, 200, {});
    }
    if (searchParams.get('watch') === 'true') {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      watchers.set(kind ?? '', (text) => response.write(text));
      return;
    }
    const items = kind === 'nodes' ? nodes : kind === 'configmaps' ? [members] : requests;
    json(response, 200, { metadata: { resourceVersion: '1' }, items });
  });
  const life = new AbortController();
  const context = {
    since: new Date(),
    ports: { publish: () => Promise.resolve([]) },
    report: () => undefined,
    restart: () => undefined,
  };
  const reserved = { hosts: ['kubernetes', 'a', '192.0.2.10', '10.0.0.1'], networks: ['10.0.0.0/24'] };
  const done = nodeApprover({ api, reserved }).run(context, life.signal);
  t.teardown(async () => {
    life.abort();
    await done;
  });
  const send = async (kind: string, type: string, object: object): Promise<void> => {
    await until(() => watchers.has(kind));
    watchers.get(kind)?.(line(type, object));
  };
  return {
    answers,
    deleted,
    record: data,
    of: (name: string): string => answers.find((text) => text.startsWith(`${name}/approval`)) ?? '',
    appear: (object: object) => send('certificatesigningrequests', 'ADDED', object),
    change: (object: object) => send('certificatesigningrequests', 'MODIFIED', object),
    node: (type: string, object: object) => send('nodes', type, object),
  };
}

test.serial(
  'a new node is approved and recorded with its address and its token; one whose name is taken is denied',
  async (t) => {
    const { answers, of, record } = await approve(t, { requests: [await joining('b'), await joining('a')] });
    await until(() => answers.length >= 2);
    t.regex(of('join-b'), /"type":"Approved"/);
    t.regex(of('join-a'), /"type":"Denied".*has a node a already/);
    t.like(JSON.parse(record['node.b'] ?? ''), { address: '192.0.2.11', request: 'b' });
    t.like(JSON.parse(record['token.abcdef'] ?? ''), { node: 'b', request: 'b' });
  },
);

test.serial('a request that comes later is answered, too', async (t) => {
  const { answers, appear, of } = await approve(t, {});
  await appear(await joining('c'));
  await until(() => answers.length > 0);
  t.regex(of('join-c'), /"Approved"/);
});

test.serial('an answer that the API does not take is given again', async (t) => {
  const { answers, of } = await approve(t, { requests: [await joining('b')], refusals: 1 });
  await until(() => answers.length > 0);
  t.regex(of('join-b'), /"Approved"/);
});

test.serial('what cannot be read is denied', async (t) => {
  const request = await joining('d');
  request.spec.request = 'bm90aGluZw==';
  const { answers } = await approve(t, { requests: [request] });
  await until(() => answers.length > 0);
  t.regex(answers[0] ?? '', /"Denied"/);
});

test.serial('a token for one node admits one node, also when both ask at once', async (t) => {
  const requests = [await joining('b'), await joining('c', '192.0.2.12')];
  const { answers } = await approve(t, { requests });
  await until(() => answers.length >= 2);
  t.is(answers.filter((text) => text.includes('"Approved"')).length, 1);
});

test.serial('a token ends when its node presents its own certificate', async (t) => {
  const { answers, appear, deleted } = await approve(t, { requests: [await joining('b')] });
  await until(() => answers.length > 0);
  t.deepEqual(deleted, []);
  await appear(await renewing('b'));
  await until(() => deleted.length > 0);
  t.deepEqual(deleted, ['bootstrap-token-abcdef']);
});

/** The certificate that was issued for a request, and how the API server names it. */
async function issued(name: string): Promise<{ certificate: string; credential: string }> {
  const { issuer } = await createAuthority('kubernetes', new Date());
  const [spec] = workerCertificates(name, '192.0.2.11');
  if (spec === undefined) throw new Error('no certificates');
  const { certPem } = await issueCertificate(spec, issuer, new Date());
  const hash = createHash('sha256').update(new X509Certificate(certPem).raw).digest('hex');
  return { certificate: Buffer.from(certPem).toString('base64'), credential: `X509SHA256=${hash}` };
}
const madeWith = <T extends { spec: object }>(request: T, credential: string): T => {
  Object.assign(request.spec, { extra: { 'authentication.kubernetes.io/credential-id': [credential] } });
  return request;
};

test.serial('a node that has joined anew is known by its new certificate', async (t) => {
  const request = await joining('b');
  const { answers, appear, record, of, ...api } = await approve(t, { requests: [request] });
  await until(() => answers.length > 0);
  const { certificate, credential } = await issued('b');
  const conditions = [{ type: 'Approved', reason: 'UsernetesNodeApprover' }];
  await api.change({ ...request, status: { conditions, certificate } });
  await appear(madeWith(await renewing('b'), credential));
  await until(() => answers.length > 1);
  t.regex(of('of-b'), /"Approved"/);
  t.like(JSON.parse(record['node.b'] ?? ''), { credentials: credential });
  const old = madeWith(await renewing('b'), 'X509SHA256=00');
  Object.assign(old.metadata, { name: 'old', uid: 'old' });
  await appear(old);
  await until(() => answers.length > 2);
  t.regex(of('old'), /"Denied"/);
});

test.serial('a token whose node never presents a certificate ends, too', async (t) => {
  const used = JSON.stringify({
    node: 'b',
    request: 'b',
    usedAt: new Date(Date.now() - 180_000).toISOString(),
  });
  const { deleted } = await approve(t, { record: { ...adopted, 'token.abcdef': used } });
  await until(() => deleted.length > 0);
  t.deepEqual(deleted, ['bootstrap-token-abcdef']);
});

const member = (address: string, admittedAt = new Date()): string =>
  JSON.stringify({ address, admittedAt: admittedAt.toISOString() });

test.serial('a node that has left is a member no more, however it left', async (t) => {
  const b = node('b', '192.0.2.11');
  const { answers, appear, record, of, ...api } = await approve(t, {
    nodes: [theOnly, b],
    record: { ...adopted, 'node.b': member('192.0.2.11') },
  });
  await appear(await renewing('b'));
  await until(() => answers.length > 0);
  t.regex(of('of-b'), /"Approved"/);
  await api.node('DELETED', b);
  await until(() => record['node.b'] === undefined);
  const again = await renewing('b');
  Object.assign(again.metadata, { name: 'again', uid: 'again' });
  await appear(again);
  await until(() => answers.length > 1);
  t.regex(of('again'), /"Denied"/);
});

test.serial('a node that was admitted long ago and has not come is a member no more', async (t) => {
  const longAgo = new Date(Date.now() - 2 * 3600_000);
  const { record } = await approve(t, {
    record: { ...adopted, 'node.b': member('192.0.2.11', longAgo), 'node.c': member('192.0.2.12') },
  });
  await until(() => record['node.b'] === undefined);
  t.truthy(record['node.c'], 'but one that is just joining is');
});

test.serial(
  'nodes that had joined before there was a record are taken into it, each with an address that it can have',
  async (t) => {
    const nodes = [
      theOnly,
      node('c', '192.0.2.11', '2026-01-03T00:00:00Z'),
      node('b', '192.0.2.11', '2026-01-02T00:00:00Z'),
      node('d', '::ffff:192.0.2.10'),
    ];
    const { record } = await approve(t, { nodes, record: {} });
    await until(() => record['adopted'] !== undefined);
    t.deepEqual(Object.keys(record).sort(), ['adopted', 'node.b', 'node.c', 'node.d']);
    const addressOf = (key: string): unknown =>
      (JSON.parse(record[key] ?? '') as { address?: string }).address;
    t.deepEqual(['node.b', 'node.c', 'node.d'].map(addressOf), ['192.0.2.11', undefined, undefined]);
  },
);

test.serial('of a flood of bad requests each is answered once, and a good one among them soon', async (t) => {
  const foreign = await joining('f');
  const flood = Array.from({ length: 150 }, (_, index) => ({
    metadata: { ...foreign.metadata, name: `flood-${index}`, uid: `flood-${index}` },
    spec: { ...foreign.spec, signerName: 'example.com/own' },
  }));
  const { answers, of } = await approve(t, { requests: [...flood, await joining('b')] });
  await until(() => answers.length >= 151);
  t.regex(of('join-b'), /"Approved"/);
  t.is(new Set(answers.map((text) => text.split(' ')[0])).size, 151);
  t.is(answers.length, 151);
  t.true(answers.findIndex((text) => text.startsWith('join-b')) < 10);
});
