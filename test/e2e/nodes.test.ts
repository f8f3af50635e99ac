import { X509Certificate } from 'node:crypto';
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { PairReport } from '#src/instance/network-report.js';
import { asUser, type Account } from '#src/host/account.js';
import { runOk } from '#src/lib/exec.js';
import { workerCertificates } from '#src/pki/certificates.js';
import { leftovers, needsRoot, processesOf, start, u7s } from '../ordinary-user.js';
import { putShortLived } from '../pki/short-lived.js';
import { asIdentity, type Attempt } from './as-identity.js';
import { tryAsNode, type AsNode, type Outcome } from './as-node.js';
import { makeHosts, removeHosts, type TestHost } from './hosts.js';
import { until } from './running-cluster.js';
import { ok } from './shell.js';

/** Three hosts on one bridge, each with an ordinary user of its own. The tests build on one another, in this order. */
const serial = needsRoot === undefined ? test.serial : test.serial.skip;
const image = 'localhost/netcheck:1';
const theApi = 'https://10.199.0.11:6443';

let [first, second, third]: TestHost[] = [];
let netcheck = '';

test.before('a control plane that was a node alone before', async (t) => {
  if (needsRoot !== undefined) return;
  t.timeout(80 * 60_000, 'the binaries may have to be built');
  await ok('bin/u7s.js', ['artifacts', 'fetch']);
  const built = await ok('bin/u7s.js', ['artifacts', 'build', 'flannel', 'netcheck']);
  [first, second, third] = await makeHosts(3);
  netcheck = join(/^netcheck .*?(\/\S+)$/m.exec(built)?.[1] ?? '', 'bin/netcheck');
  await first?.ok('up', '-d');
  await first?.ok('kubectl', 'create', 'configmap', 'kept', '--from-literal=word=kept');
});

test.after.always('the clusters and hosts are removed', async () => {
  for (const host of [first, second, third]) {
    if (host === undefined) continue;
    await host.u7s('--cluster', 'second', 'cleanup');
    await host.u7s('cleanup');
  }
  if (needsRoot === undefined) await removeHosts(3);
});

const hosts = (): { a: TestHost; b: TestHost; c: TestHost } => {
  if (first === undefined || second === undefined || third === undefined)
    throw new Error('there are no hosts');
  return { a: first, b: second, c: third };
};

serial('a node alone says how it becomes a control plane, and keeps its data', async (t) => {
  const { a } = hosts();
  const { exitCode, stderr } = await a.u7s('join-command');
  t.is(exitCode, 1);
  t.regex(stderr, /^error\[one-node-only\].*\n {2}fix: .*-d --host-ip 10\.199\.0\.11/m);
  await a.ok('down');
  await a.ok('up', '-d', '--host-ip', a.address);
  t.is(await a.ok('kubectl', 'get', 'configmap', 'kept', '-o', 'jsonpath={.data.word}'), 'kept');
  const ports = (
    JSON.parse(await a.ok('ports', '-o', 'json')) as { spec: { parentIP: string; parentPort: number } }[]
  ).map(({ spec }) => `${spec.parentIP}:${spec.parentPort}`);
  t.deepEqual(ports, ['10.199.0.11:6443', '10.199.0.11:10250', '10.199.0.11:8472']);
});

/** Good for all that is refused, since it admits nobody. */
let line: string[] | undefined;

type Refusal = { args?: string[]; hash?: string; endpoint?: string; token?: string; says: RegExp };
const refusals: Record<string, Refusal> = {
  'the hash of another authority': {
    hash: `sha256:${'0'.repeat(64)}`,
    says: /error\[wrong-authority\]/,
  },
  'a token that nobody gave': {
    token: 'abcdef.0123456789abcdef',
    says: /error\[token-unknown\]/,
  },
  'a control plane that is not there': {
    endpoint: '10.199.0.11:6444',
    says: /error\[api-unreachable\]: .*10\.199\.0\.11:6444.*ECONNREFUSED/,
  },
  'a host that is not there': {
    endpoint: '10.199.0.99:6443',
    says: /error\[api-unreachable\]: .*10\.199\.0\.99:6443/,
  },
  'the name of a node that is there': {
    args: ['--node-name', 'u7s-test-h1'],
    says: /error\[node-name-taken\]/,
  },
  'the address of the control plane': {
    args: ['--host-ip', '10.199.0.11'],
    says: /error\[address-taken\]/,
  },
  'an address of nobody': {
    args: ['--host-ip', '10.199.0.77'],
    says: /error\[no-such-address\]/,
  },
};
for (const [what, { args = [], hash, endpoint, token, says }] of Object.entries(refusals)) {
  serial(`${what} is refused, and nothing is half-joined`, async (t) => {
    const { a, b } = hosts();
    line ??= await invitation(a);
    const words = line.map((word) => {
      if (word.startsWith('sha256:')) return hash ?? word;
      if (word.endsWith(':6443')) return endpoint ?? word;
      return word.includes('.') ? (token ?? word) : word;
    });
    const { exitCode, stderr } = await b.u7s(...words, ...args);
    t.is(exitCode, 1, stderr);
    t.regex(stderr, says);
    t.regex(stderr, /\n {2}fix: /);
    t.deepEqual(await traces(b.account), []);
  });
}

serial('a token ends with its time, or when it is revoked', async (t) => {
  const { a, b } = hosts();
  const short = await invitation(a, '--ttl', '1s');
  const other = await invitation(a);
  const id = idOf(other);
  t.true((await tokens(a)).some((token) => token.id === id));
  await a.ok('token', 'revoke', id);
  for (const line of [other, short]) {
    const { exitCode, stderr } = await b.u7s(...line);
    t.is(exitCode, 1);
    t.regex(stderr, /error\[token-unknown\]/);
  }
});

serial('a clock that is an hour ahead is told before anything is made', async (t) => {
  const { a, b } = hosts();
  const clock = 'const now = Date.now; Date.now = () => now() + 3600000;';
  const { exitCode, stderr } = await asPerson(b, await invitation(a), {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(clock)}`,
  });
  t.is(exitCode, 1);
  t.regex(stderr, /error\[clock-wrong\]: .*60 minutes/);
  t.deepEqual(await traces(b.account), []);
});

serial('a port that is taken is told with its holder; without being named another is found', async (t) => {
  const { a, b } = hosts();
  const holder = start(...command(b, [process.execPath, '-e', hold, b.address]), { PATH: process.env.PATH });
  await holder.said(/holding/);
  t.teardown(() => holder.kill('SIGKILL'));
  const { exitCode, stderr } = await b.u7s(...(await invitation(a)), '--kubelet-port', '10250');
  t.is(exitCode, 1);
  t.regex(stderr, /error\[port-taken\]: 10\.199\.0\.12:10250\/tcp .*(node|a process)/);
  const udp = await b.u7s(...(await invitation(a)));
  t.regex(udp.stderr, /error\[port-taken\]: 10\.199\.0\.12:8472\/udp .*(node|a process)/);
  t.deepEqual(await traces(b.account), []);
});

serial('two hosts join at once, each by a token of its own, and are Ready', async (t) => {
  const { a, b, c } = hosts();
  const [forB, forC] = [await invitation(a), await invitation(a)];
  await Promise.all([b.ok(...forB), c.ok(...forC)]);
  t.deepEqual(await readyNodes(a), ['u7s-test-h1', 'u7s-test-h2', 'u7s-test-h3']);
  const good = (await tokens(a)).map(({ id }) => id);
  for (const line of [forB, forC]) t.false(good.includes(idOf(line)), 'its token is used up');
  // As Kubernetes does after an hour.
  await a.ok('kubectl', 'delete', 'csr', '--all');
  // For ten seconds the API server remembers who has shown it; until then a node of a host with free ports is refused when
  // it asks for a certificate.
  await until(async () => {
    const again = await b.u7s('--cluster', 'second', ...forB, '--node-name', 'replayed');
    t.not(again.exitCode, 0);
    return /error\[(token-unknown|join-denied)\]/.test(again.stderr);
  });
});

serial('no node but the control plane has an authority’s key, or the administrator’s', async (t) => {
  const { b } = hosts();
  const files = await readdir(join(b.account.home, '.local/state/usernetes/default/pki'));
  t.deepEqual(files.filter((file) => file.endsWith('.key')).sort(), [
    'flannel.key',
    'kube-proxy.key',
    'kubelet-server.key',
    'kubelet.key',
    'local-storage.key',
    'metrics.key',
    'network-policies.key',
  ]);
  t.regex((await b.u7s('kubectl', 'get', 'nodes')).stderr, /error\[not-control-plane\]/);
});

const flannelWrites = (node: string, body: object): Attempt => ({
  method: 'PATCH',
  path: `/api/v1/nodes/${node}/status`,
  body,
});
const annotated = (name: string, value: string | null = 'x'): object => ({
  metadata: { annotations: { [name]: value } },
});

serial('flannel of a joined node writes its own annotations of its own node, and nothing else', async (t) => {
  const { b } = hosts();
  const attempts: [string, Attempt, number][] = [
    ['its own', flannelWrites(b.name, annotated('flannel.alpha.coreos.com/probe')), 200],
    ['its own, taken back', flannelWrites(b.name, annotated('flannel.alpha.coreos.com/probe', null)), 200],
    ['another node’s', flannelWrites('u7s-test-h1', annotated('flannel.alpha.coreos.com/public-ip')), 403],
    ['annotations of others', flannelWrites(b.name, annotated('example.org/a')), 403],
    ['or taking them away', flannelWrites(b.name, annotated('node.alpha.kubernetes.io/ttl', null)), 403],
    ['labels', flannelWrites(b.name, { metadata: { labels: { 'node-role.kubernetes.io/db': '' } } }), 403],
    ['finalizers', flannelWrites(b.name, { metadata: { finalizers: ['example.org/a'] } }), 403],
    [
      'addresses',
      flannelWrites(b.name, { status: { addresses: [{ type: 'InternalIP', address: '10.199.0.11' }] } }),
      403,
    ],
    ['conditions', flannelWrites(b.name, { status: { conditions: [] } }), 403],
    [
      'spec',
      { method: 'PATCH', path: `/api/v1/nodes/${b.name}`, body: { spec: { unschedulable: true } } },
      403,
    ],
    ['pods', { method: 'GET', path: '/api/v1/pods' }, 403],
  ];
  await outcomes(t, b, 'flannel', attempts);
});

serial(
  'the kubelet of a joined node, which publishes its ports, sees its own pods and speaks for itself',
  async (t) => {
    const { b } = hosts();
    const event = (name: string, host: string, involvedObject: object): Attempt => ({
      method: 'POST',
      path: '/api/v1/namespaces/default/events',
      body: {
        metadata: { name },
        involvedObject,
        reason: 'A',
        message: 'a',
        source: { component: 'a', host },
      },
    });
    const pod = { kind: 'Pod', namespace: 'default', name: 'a' };
    const pods = (node: string): Attempt => ({
      method: 'GET',
      path: `/api/v1/pods?fieldSelector=spec.nodeName%3D${node}`,
    });
    await outcomes(t, b, 'kubelet', [
      ['its own pods', pods(b.name), 200],
      ['those of another', pods('u7s-test-h1'), 403],
      ['all', { method: 'GET', path: '/api/v1/pods' }, 403],
      ['an Event of its own', event('own', b.name, pod), 200],
      ['one in the name of another', event('forged', 'u7s-test-h1', pod), 403],
      ['one without a name', event('nameless', '', pod), 403],
      ['one about another node', event('about', b.name, { kind: 'Node', name: 'u7s-test-h1' }), 403],
      ['another node', flannelWrites('u7s-test-h1', annotated('example.org/a')), 403],
    ]);
  },
);

serial('the approver deletes tokens, and no other Secret', async (t) => {
  const { a } = hosts();
  const secrets = '/api/v1/namespaces/kube-system/secrets';
  const make = (name: string, type: string): Attempt => ({
    method: 'POST',
    path: secrets,
    body: { metadata: { name }, type },
  });
  const remove = (name: string): Attempt => ({ method: 'DELETE', path: `${secrets}/${name}` });
  await asIdentity(a, 'admin', theApi, [
    make('precious', 'Opaque'),
    make('bootstrap-token-aaaaaa', 'bootstrap.kubernetes.io/token'),
  ]);
  await outcomes(t, a, 'node-approver', [
    ['a token', remove('bootstrap-token-aaaaaa'), 200],
    ['another Secret', remove('precious'), 403],
  ]);
});

/** Tries each with the certificate `name` of the node of that host, and compares the statuses. */
async function outcomes(
  t: ExecutionContext,
  host: TestHost,
  name: string,
  attempts: readonly [string, Attempt, number][],
): Promise<void> {
  const statuses = await asIdentity(
    host,
    name,
    theApi,
    attempts.map(([, attempt]) => attempt),
  );
  t.deepEqual(
    attempts.map(([what], index) => [what, statuses[index]]),
    attempts.map(([what, , status]) => [what, status]),
  );
}

const pkiOf = ({ account }: TestHost): string => join(account.home, '.local/state/usernetes/default/pki');

/** What somebody can do who is root on host `who`, or was, and has kept \`pki\`. */
function attack(who: TestHost, attempts: readonly AsNode[], pki = pkiOf(who)): Promise<Outcome[]> {
  return tryAsNode(who, { server: `https://${hosts().a.address}:6443`, pki }, attempts);
}

/** A server certificate that the node asks for. */
const serving = (
  { name }: TestHost,
  hosts: string[],
  signerName = 'kubernetes.io/kubelet-serving',
): AsNode => ({
  signerName,
  usages: ['digital signature', 'server auth'],
  subject: { commonName: `system:node:${name}`, organization: 'system:nodes' },
  hosts,
});

/** The certificate of its kubelet. */
const renewal = ({ name }: TestHost): AsNode => ({
  ...serving({ name } as TestHost, [], 'kubernetes.io/kube-apiserver-client-kubelet'),
  usages: ['digital signature', 'client auth'],
});

type Life = { launcherPid: number; rebuilds: number; kubelet: number; end: number };

/** What a node must keep while its certificates are renewed, and when that of its kubelet ends. */
async function lifeOf(host: TestHost): Promise<Life> {
  const { launcherPid, rebuilds, services } = JSON.parse(await host.ok('status', '-o', 'json')) as {
    launcherPid: number;
    rebuilds: number;
    services: { name: string; hostPid?: number }[];
  };
  const { validTo } = new X509Certificate(await readFile(join(pkiOf(host), 'kubelet.crt')));
  const kubelet = services.find(({ name }) => name === 'kubelet')?.hostPid ?? 0;
  return { launcherPid, rebuilds, kubelet, end: Date.parse(validTo) };
}

/** Of the nodes whose certificate soon ends, once their kubelets use that. */
const short = new Map<TestHost, Life>();

serial('kubelets get certificates that end in ten minutes', async (t) => {
  const { a, c } = hosts();
  const client = workerCertificates(a.name, a.address).find(({ name }) => name === 'kubelet');
  if (client === undefined) throw new Error('a kubelet has a certificate');
  // They are left for the five minutes after which a kubelet looks again.
  await putShortLived(pkiOf(a), client, { endsInMs: 10 * 60_000, dueInMs: 60_000 });
  // One of a joined node is from the control plane, as are all that it ever gets.
  const [own] = await attack(c, [{ ...renewal(c), expirationSeconds: 600, keep: 'kubelet' }]);
  t.true(own?.ok);
  for (const host of [a, c]) {
    await ok('chown', ['-R', `${host.account.name}:`, pkiOf(host)]);
    await host.ok('restart', 'kubelet');
    const life = await lifeOf(host);
    t.true(life.end < Date.now() + 10 * 60_000, 'what is not due is not renewed');
    short.set(host, life);
  }
});

/** Returns what came of its certificate, which has to be that it was renewed, and nothing else of the node. */
async function renewedInTime(t: ExecutionContext, host: TestHost): Promise<void> {
  const before = short.get(host);
  await until(async () => (await lifeOf(host)).end > Date.now() + 3600_000, 6 * 60_000);
  const { end, ...now } = await lifeOf(host);
  t.log(`${host.name}: ${Math.round(((before?.end ?? 0) - Date.now()) / 1000)} s before the old one ends`);
  t.deepEqual({ ...now, end: before?.end }, before);
  t.true(end > Date.now() + 50 * 86_400_000);
  t.true((await readyNodes(hosts().a)).includes(host.name));
}

serial('no node can be the API server, or another node', async (t) => {
  const { a, b, c } = hosts();
  const claim: AsNode = {
    method: 'PATCH',
    path: `/api/v1/nodes/${b.name}/status`,
    contentType: 'application/merge-patch+json',
    body: { status: { addresses: [a, c].map(({ address }) => ({ type: 'InternalIP', address })) } },
  };
  // Whether it may say so of itself or not.
  await attack(b, [claim]);
  const wanted = [
    ...[a.address, `::ffff:${a.address}`, c.address, '10.0.0.1', '10.0.0.53', '127.0.0.1', '::1', '0.0.0.0'],
    ...['kubernetes', 'kubernetes.default.svc', 'localhost', a.name, c.name, '*'],
  ];
  const outcomes = await attack(
    b,
    wanted.map((host) => serving(b, [b.name, host])),
  );
  outcomes.forEach((outcome, index) => t.like(outcome, { ok: false, code: 'request-denied' }, wanted[index]));
  const [foreign, own] = await attack(b, [
    serving(b, [b.name], 'example.com/servers'),
    serving(b, [b.name, b.address]),
  ]);
  t.like(foreign, { ok: false, code: 'api-forbidden' });
  t.true(own?.ok);
  const [ofC] = await attack(c, [serving(c, [c.name, c.address])]);
  t.true(ofC?.ok, 'the address of c is its own, whoever else claims it');

  // Nor is what it has one for those who trust the authority of the API.
  const read = async (file: string): Promise<X509Certificate> =>
    new X509Certificate(await readFile(join(pkiOf(b), file)));
  const [ca, server, client] = [
    await read('ca.crt'),
    await read('kubelet-server.crt'),
    await read('kubelet.crt'),
  ];
  t.false(server.verify(ca.publicKey));
  t.true(client.verify(ca.publicKey));
  const days = (Date.parse(client.validTo) - Date.now()) / 86_400_000;
  t.true(days > 50 && days <= 56, `it is valid for ${days} days`);
});

serial('every pair of nodes: pod, ClusterIP, NodePort, DNS, large transfers', async (t) => {
  t.deepEqual(await pairsThatFail(hosts().a), []);
});

serial('logs and exec reach pods of other nodes; a NodePort answers on each host', async (t) => {
  const { a, b, c } = hosts();
  await apply(a, server('answer', b.name), {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'answer' },
    spec: {
      type: 'NodePort',
      selector: { app: 'answer' },
      ports: [{ port: 80, targetPort: 8080, nodePort: 30123 }],
    },
  });
  await apply(a, server('talker', c.name, ['probe', '[]']));
  await a.ok('kubectl', 'wait', 'pod/answer', '--for=condition=Ready', '--timeout=60s');
  t.is((await a.ok('kubectl', 'exec', 'answer', '--', '/netcheck', 'probe', '[]')).trim(), '[]');
  await a.ok('kubectl', 'wait', 'pod/talker', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s');
  t.is((await a.ok('kubectl', 'logs', 'talker')).trim(), '[]');
  for (const to of [a, b, c])
    t.deepEqual(await reach(c, `${to.address}:30123`, 'answer'), [{ ok: true }], to.name);
});

serial('a policy holds for pods of other nodes and of the same', async (t) => {
  const { a, b, c } = hosts();
  const askers = { friend: c, stranger: a, neighbour: b };
  await apply(a, ...Object.entries(askers).map(([name, host]) => server(name, host.name)), {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'answer' },
    spec: {
      podSelector: { matchLabels: { app: 'answer' } },
      ingress: [
        {
          from: [{ podSelector: { matchLabels: { app: 'friend' } } }],
          ports: [{ port: 8000, endPort: 8080 }],
        },
      ],
    },
  });
  const pods = Object.keys(askers).map((name) => `pod/${name}`);
  await a.ok('kubectl', 'wait', ...pods, '--for=condition=Ready', '--timeout=60s');
  const target = `${await a.ok('kubectl', 'get', 'pod', 'answer', '-o', 'jsonpath={.status.podIP}')}:8080`;
  const asked = async (name: string): Promise<boolean | undefined> => {
    const probes = JSON.stringify([{ kind: 'connect', target, expect: 'answer', within: 2_000 }]);
    const answer = await a.ok('kubectl', 'exec', name, '--', '/netcheck', 'probe', probes);
    return (JSON.parse(answer) as { ok: boolean }[])[0]?.ok;
  };
  await until(async () => (await asked('stranger')) === false);
  t.deepEqual(await Promise.all(['friend', 'neighbour'].map(asked)), [true, false]);
  await a.ok('kubectl', 'delete', 'networkpolicy', 'answer');
  await until(async () => (await asked('stranger')) === true);
  t.true(await asked('neighbour'));
  await a.ok('kubectl', 'delete', ...pods, '--wait=false');
});

serial('a node all of whose processes are killed comes back by up, without a token', async (t) => {
  const { a, b } = hosts();
  for (const { pid } of await processesOf(b.account)) kill(pid);
  await until(async () => (await processesOf(b.account)).length === 0);
  await b.ok('up', '-d');
  t.deepEqual(await readyNodes(a), ['u7s-test-h1', 'u7s-test-h2', 'u7s-test-h3']);
});

serial('the kubelet of a control plane has its certificate renewed while the node runs', async (t) => {
  await renewedInTime(t, hosts().a);
});

serial('a control plane that is started again finds its nodes, without being told its address', async (t) => {
  const { a } = hosts();
  await a.ok('down');
  await a.ok('up', '-d');
  t.deepEqual(await pairsThatFail(a), []);
});

serial('another user’s cluster on the same host takes ports of its own', async (t) => {
  const { a, b, c } = hosts();
  const onC = (...args: string[]) =>
    u7s(b.account, ['--cluster', 'second', ...args], { inside: c.inside, env: { U7S_NODE_NAME: 'other' } })
      .ended;
  const { exitCode, stderr } = await onC('up', '-d', '--host-ip', c.address);
  t.is(exitCode, 0, stderr);
  const { stdout } = await onC('ports', '-o', 'json');
  const ports = (JSON.parse(stdout) as { spec: { parentPort: number } }[]).map(({ spec }) => spec.parentPort);
  t.deepEqual(ports, [6443, 10251, 8473]);
  t.deepEqual((await onC('kubectl', 'get', 'nodes', '-o', 'name')).stdout.trim(), 'node/other');
  t.deepEqual(await readyNodes(a), ['u7s-test-h1', 'u7s-test-h2', 'u7s-test-h3']);
  await onC('cleanup');
});

serial('so has that of a node that has joined', async (t) => {
  await renewedInTime(t, hosts().c);
});

serial('a node leaves: its pods end, the cluster forgets it, its data is gone', async (t) => {
  const { a, c } = hosts();
  await c.ok('leave');
  t.deepEqual(await readyNodes(a), ['u7s-test-h1', 'u7s-test-h2']);
  t.deepEqual(await traces(c.account), []);
  await c.ok(...(await invitation(a)));
  t.deepEqual(await readyNodes(a), ['u7s-test-h1', 'u7s-test-h2', 'u7s-test-h3'], 'and may join again');
});

serial('a node that was removed stays removed, whatever it has kept, until a later token', async (t) => {
  const { a, b, c } = hosts();
  const kept = await mkdtemp(join(tmpdir(), 'u7s-kept-'));
  t.teardown(() => rm(kept, { recursive: true }));
  await cp(pkiOf(c), kept, { recursive: true });
  const early = await invitation(a);
  const before = await attack(c, [renewal(c)], kept);
  t.true(before[0]?.ok, 'a member renews its certificate');
  await c.ok('down');
  await a.ok('node', 'rm', c.name);
  const { exitCode, stderr } = await c.u7s('up', '-d');
  t.is(exitCode, 1);
  t.regex(stderr, /error\[node-removed\]: .*u7s-test-h3\n {2}fix: .* leave\n/);

  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: c.name } };
  const [created, renewed, served] = await attack(
    c,
    [{ method: 'POST', path: '/api/v1/nodes', body: node }, renewal(c), serving(c, [c.name, c.address])],
    kept,
  );
  t.like(created, { ok: false, code: 'api-forbidden' });
  t.like(renewed, { ok: false, code: 'request-denied' });
  t.like(served, { ok: false, code: 'request-denied' });
  t.deepEqual(await readyNodes(a), ['u7s-test-h1', 'u7s-test-h2']);

  await c.ok('leave');
  const late = await c.u7s(...early);
  t.is(late.exitCode, 1);
  t.regex(late.stderr, /error\[join-denied\]/, 'a token that was made before it was removed');
  // Another node that asks for much does not hold it up.
  const flood = Array.from({ length: 150 }, () => ({ ...serving(b, ['kubernetes']), only: true as const }));
  await Promise.all([attack(b, flood), invitation(a).then((line) => c.ok(...line))]);
  t.deepEqual(await readyNodes(a), ['u7s-test-h1', 'u7s-test-h2', 'u7s-test-h3']);
  const [old] = await attack(c, [renewal(c)], kept);
  t.like(old, { ok: false, code: 'request-denied' }, 'what it had before is not renewed then, either');
  const [own] = await attack(c, [renewal(c)]);
  t.true(own?.ok);
});

/** The words of a fresh line of join-command, without the first. */
async function invitation(host: TestHost, ...args: string[]): Promise<string[]> {
  return (await host.ok('join-command', ...args)).trim().split(' ').slice(1);
}

/** Of the token in such a line. */
const idOf = (line: readonly string[]): string => line[line.indexOf('--token') + 1]?.split('.')[0] ?? '';

async function tokens(host: TestHost): Promise<{ id: string }[]> {
  return JSON.parse(await host.ok('token', 'list', '-o', 'json')) as { id: string }[];
}

async function readyNodes(host: TestHost): Promise<string[]> {
  const { items } = JSON.parse(await host.ok('kubectl', 'get', 'nodes', '-o', 'json')) as {
    items: { metadata: { name: string }; status: { conditions: { type: string; status: string }[] } }[];
  };
  return items
    .filter(({ status }) => status.conditions.some((each) => each.type === 'Ready' && each.status === 'True'))
    .map(({ metadata }) => metadata.name);
}

/** What `check network` finds wrong; it has to try every pair. */
async function pairsThatFail(host: TestHost): Promise<PairReport[]> {
  const { exitCode, stdout, stderr } = await host.u7s('check', 'network', '-o', 'json');
  const pairs = JSON.parse(stdout || '[]') as PairReport[];
  if (pairs.length !== 9) throw new Error(`not 9 pairs but ${pairs.length}: ${stderr}`);
  if (exitCode === 0) return [];
  return pairs.filter(({ cause }) => cause !== undefined);
}

/** What a join would leave that is not of the account itself. */
async function traces(account: Account): Promise<string[]> {
  const found = (await leftovers(account)).filter((path) => !/\/usernetes(\/default)?$|launcher/.test(path));
  return [...found, ...(await processesOf(account)).map(({ command }) => command)];
}

function server(name: string, nodeName: string, args = ['serve', ':8080']): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      nodeName,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image, imagePullPolicy: 'Never', args }],
    },
  };
}

async function apply(host: TestHost, ...items: object[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'u7s-nodes-'));
  try {
    await chmod(folder, 0o755);
    const file = join(folder, 'objects.json');
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }), { mode: 0o644 });
    await host.ok('kubectl', 'apply', '-f', file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** As a program of that host, outside of any cluster. */
async function reach(from: TestHost, target: string, expect: string): Promise<unknown> {
  const probes = JSON.stringify([{ kind: 'connect', target, expect, within: 10_000 }]);
  const [program, args] = command(from, [netcheck, 'probe', probes]);
  return JSON.parse(await runOk(program, args));
}

function command({ inside }: TestHost, words: readonly string[]): [string, string[]] {
  const [program = '', ...args] = [...inside, ...words];
  return [program, args];
}

/** The user types it, with a variable that root's commands would not hand on. */
async function asPerson(host: TestHost, words: readonly string[], env: Record<string, string>) {
  const copies = join(host.account.home, '.local/share/usernetes/launcher');
  const [copy = ''] = (await readdir(copies)).filter((name) => !name.startsWith('.'));
  const own = asUser(
    host.account,
    [process.execPath, join(copies, copy, 'bin/u7s.js'), ...words],
    process.env,
  );
  return start(...command(host, [own.command, ...own.args]), { ...own.env, ...env }).ended;
}

/** Runs in a process of its own, on the host. */
const hold = `
  const address = process.argv[1];
  require('node:net').createServer().listen(10250, address, () =>
    require('node:dgram').createSocket('udp4').bind({ address, port: 8472 }, () => console.log('holding')));`;

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Waits for what the kernel does by itself within moments. */
