import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { account, stillRunning, tcpListenersOf } from './account.js';
import { busyboxImage, loadBusybox, pod } from './pods.js';
import { replicas, scaled } from './presets/metrics.js';
import { clusterProcesses, status, until } from './running-cluster.js';
import { apply, kubectl, ok, sh } from './shell.js';

/** What the README promises, typed as it says, on the real thing. The tests build on one another, in this order. */
test.before('the quick start makes a node of an ordinary user account', async (t) => {
  t.timeout(80 * 60_000, 'the binaries may have to be built');
  await ok('./cleanup.sh').catch(() => undefined); // what an earlier run left; on a fresh machine there is nobody to do it for
  await ok('./run.sh', ['--init-host', '-d']);
  await loadBusybox();
});

test.after.always('the cluster is removed', async () => {
  await sh('./cleanup.sh');
});

test.serial('a second run says that it runs already and changes nothing', async (t) => {
  const before = await status();
  const { exitCode, stdout } = await sh('./run.sh');
  t.is(exitCode, 0);
  t.regex(stdout, /is already running/);
  t.is((await status()).startedAt, before.startedAt);
});

test.serial('no process of the cluster is root on the host', async (t) => {
  const processes = await clusterProcesses();
  for (const program of programs) {
    t.true(
      processes.some(({ command }) => command.split('/').at(-1) === program),
      program,
    );
  }
  t.deepEqual(
    processes.filter(({ uid }) => uid === 0),
    [],
  );
});

test.serial('the host has one listener of the cluster, the API on loopback', async (t) => {
  t.deepEqual(await tcpListenersOf(await clusterProcesses()), ['127.0.0.1:6443']);
});

test.serial('the MTU of the node reaches the pod', async (t) => {
  await apply(pod('hello', 'sleep 1000000'));
  await kubectl('wait', 'pod/hello', '--for=condition=Ready', '--timeout=60s');
  t.regex(await kubectl('exec', 'hello', '--', 'ip', 'link', 'show', 'eth0'), /mtu 65520/);
});

test.serial('an address of the Service network that no Service has is refused at once', async (t) => {
  const unserved = '10.0.0.253';
  const inPod = await sh('./kubectl.sh', ['exec', 'hello', '--', 'nc', '-w', '20', unserved, '80']);
  t.regex(inPod.stderr, /Connection refused/);
  const inNode = await sh('bin/u7s.js', ['shell', '--', 'busybox', 'nc', '-w', '20', unserved, '80']);
  t.regex(inNode.stderr, /Connection refused/);
});

test.serial('the metadata services of clouds are closed to pods and to the node', async (t) => {
  const service = ['-w', '20', '169.254.169.254', '80'];
  const inPod = await sh('./kubectl.sh', ['exec', 'hello', '--', 'nc', ...service]);
  t.regex(inPod.stderr, /No route to host/);
  const inNode = await sh('bin/u7s.js', ['shell', '--', 'busybox', 'nc', ...service]);
  t.regex(inNode.stderr, /Permission denied/);
});

test.serial(
  'a pod that mounts the whole host sees nothing of other instances and commands nobody',
  async (t) => {
    const { uid, home } = await account();
    const volumes = [{ name: 'host', hostPath: { path: '/' } }];
    const mounts = [{ name: 'host', mountPath: '/host' }];
    const container = { name: 'main', image: busyboxImage, imagePullPolicy: 'Never', volumeMounts: mounts };
    const spec = { volumes, containers: [{ ...container, command: ['sleep', '1000000'] }] };
    await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'curious' }, spec });
    await kubectl('wait', 'pod/curious', '--for=condition=Ready', '--timeout=60s');
    const inPod = (...words: string[]) => sh('./kubectl.sh', ['exec', 'curious', '--', ...words]);
    t.is((await inPod('ls', `/host${home}/.local/state/usernetes`)).stdout, 'default');
    t.is((await inPod('ls', `/host/run/user/${uid}/usernetes`)).stdout, 'dns\nengine\nrootlesskit');
    const artifacts = `/host${home}/.local/share/usernetes/artifacts`;
    t.regex((await inPod('sh', '-c', `echo >${artifacts}/x`)).stderr, /Read-only file system/);
  },
);

test.serial('a pod that wants users of its own is refused with an Event that says why', async (t) => {
  t.timeout(60_000);
  const container = {
    name: 'main',
    image: busyboxImage,
    imagePullPolicy: 'Never',
    command: ['sleep', '1000000'],
  };
  const labels = { app: 'shifted' };
  const template = { metadata: { labels }, spec: { hostUsers: false, containers: [container] } };
  const spec = { selector: { matchLabels: labels }, template };
  await apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'shifted' }, spec });
  const why = () => kubectl('get', 'events', '--field-selector', 'reason=FailedCreate');
  await until(async () => (await why()).includes('runAsNonRoot'), 10_000);
  await kubectl('delete', 'deployment', 'shifted');
  t.pass();
});

test.serial('a container that names no seccomp profile runs with one', async (t) => {
  t.regex(await kubectl('exec', 'hello', '--', 'cat', '/proc/self/status'), /^Seccomp:\s2$/m);
});

test.serial('a Service cannot take over what other pods send to an address', async (t) => {
  await kubectl('create', 'service', 'clusterip', 'taker', '--tcp=80');
  const patch = JSON.stringify({ spec: { externalIPs: ['192.0.2.1'] } });
  const refused = await sh('./kubectl.sh', ['patch', 'service', 'taker', '-p', patch]);
  t.regex(refused.stderr, /denied by admission control/);
});

test.serial(
  'a name that DNS did not know a moment ago is known as soon as its Service is there',
  async (t) => {
    const lookUp = () =>
      sh('./kubectl.sh', ['exec', 'hello', '--', 'nslookup', 'late.default.svc.cluster.local']);
    for (const _ of [1, 2]) t.regex((await lookUp()).stdout, /NXDOMAIN/);
    const metrics = await kubectl(
      'get',
      '--raw',
      '/api/v1/namespaces/kube-system/services/kube-dns:9153/proxy/metrics',
    );
    t.regex(metrics, /^coredns_cache_misses_total/m);
    t.notRegex(metrics, /^coredns_cache_hits_total.*type="denial"/m, 'it was asked again, not remembered');
    await kubectl('create', 'service', 'clusterip', 'late', '--tcp=80');
    await until(async () => (await lookUp()).exitCode === 0);
  },
);

test.serial('a ServiceAccount cannot read secrets, and a stranger cannot read anything', async (t) => {
  const refused = await sh('./kubectl.sh', [
    'auth',
    'can-i',
    'get',
    'secrets',
    '--as=system:serviceaccount:default:default',
  ]);
  t.is(refused.stdout.trim(), 'no');
  t.is(await httpStatus('/api/v1/namespaces'), 401);
  t.is(await httpStatus('/readyz'), 200, 'health is open');
});

test.serial('secrets are encrypted in etcd', async (t) => {
  await kubectl('create', 'secret', 'generic', 'plain', '--from-literal=word=do-not-find-me');
  const { home } = await account();
  const found = await sh('grep', [
    '-rlF',
    'do-not-find-me',
    join(home, '.local/state/usernetes/default/etcd'),
  ]);
  t.is(found.exitCode, 1, 'grep finds the word in no file');
  const audit = await ok('bin/u7s.js', ['logs', 'audit']);
  t.regex(
    audit,
    /"verb":"create","user":\{"username":"kubernetes-admin".*"name":"plain"/,
    'who made it is recorded',
  );
  t.notRegex(audit, /do-not-find-me/);
});

test.serial('an autoscaler makes more of what is busy, and fewer when it is idle again', async (t) => {
  t.timeout(5 * 60_000, 'the autoscaler looks every 15 s');
  await apply(...scaled);
  await until(async () => (await replicas()) === 2, 120_000);
  await kubectl('rollout', 'status', 'deployment/load', '--timeout=60s');
  const pods = (await kubectl('get', 'pods', '-l', 'app=load', '-o', 'name')).trim().split('\n');
  for (const name of pods) await kubectl('exec', name, '--', 'sh', '-c', ': > /tmp/stop');
  await until(async () => (await replicas()) === 1, 120_000);
  await kubectl('delete', 'hpa,deployment', 'load', '--wait=false');
  t.pass();
});

test.serial("Gen1's way in works: nsenter by child_pid", async (t) => {
  const { uid, name, home } = await account();
  const pid = (await readFile(`/run/user/${uid}/usernetes/rootlesskit/child_pid`, 'utf8')).trim();
  const address = await ok('setpriv', [
    ...['--reuid', name, '--regid', name, '--init-groups', '--', 'env', `HOME=${home}`],
    ...['nsenter', '-U', '--preserve-credentials', '-m', '-n', '-t', pid, '--'],
    ...[await kubectlBinary(), 'get', 'nodes', '-o', 'name'],
  ]);
  t.regex(address, /^node\/u7s-/);
});

test.serial("docker's own place for a rootless engine leads to the cluster's dockerd", async (t) => {
  const { uid } = await account();
  const host = `unix:///run/user/${uid}/docker.sock`;
  t.is((await ok('./dockercli.sh', ['-H', host, 'version', '-f', '{{.Server.Os}}'])).trim(), 'linux');
});

test.serial('config/localhost.kubeconfig serves a kubectl on the host', async (t) => {
  const nodes = await ok(await kubectlBinary(), [
    '--kubeconfig',
    'config/localhost.kubeconfig',
    'get',
    'nodes',
    '-o',
    'name',
  ]);
  t.regex(nodes, /^node\/u7s-/);
});

test.serial('after a SIGKILL of the launcher nothing runs on, and the next start works', async (t) => {
  const processes = await clusterProcesses();
  process.kill((await status()).launcherPid, 'SIGKILL');
  await until(async () => (await stillRunning(processes)).length === 0);
  await ok('./run.sh', ['-d']);
  t.is((await status()).phase, 'running');
});

const programs = [
  ...['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy'],
  ...['containerd', 'dockerd', 'slirp4netns', 'rootlesskit'],
];

async function kubectlBinary(): Promise<string> {
  const artifacts = JSON.parse(await ok('bin/u7s.js', ['artifacts', 'list', '-o', 'json'])) as {
    binaries: Record<string, string>;
  }[];
  const path = artifacts.map(({ binaries }) => binaries['kubectl']).find((found) => found !== undefined);
  if (path === undefined) throw new Error('no artifact has kubectl');
  return path;
}

async function httpStatus(path: string): Promise<number> {
  const { home } = await account();
  const { Agent, request } = await import('node:https');
  const ca = await readFile(join(home, '.local/state/usernetes/default/pki/ca.crt'));
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: 6443, path, agent: new Agent({ ca }) }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', reject)
      .end();
  });
}
