import { lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { account, processTree, stillRunning } from './account.js';
import { askDatabases, databases, databasesRun, fillDatabases, kept, loadDatabases } from './databases.js';
import { container, loadBusybox } from './pods.js';
import { apply, kubectl, ok, sh } from './shell.js';
import { database } from './volumes.js';

/**
 * The life of a cluster; what goes wrong in it is in ../faults. The tests build on one another, in this order; they have a
 * cluster of their own.
 */
process.env['U7S_CLUSTER'] = 'life';
process.env['U7S_API_PORT'] = '6531';

const up = (): Promise<string> => ok('./run.sh', ['default-containerd', '-d']);

test.before('a cluster with a Deployment', async (t) => {
  t.timeout(80 * 60_000, 'the binaries may have to be built');
  await sh('./cleanup.sh');
  await ok('./run.sh', ['--init-host', 'default-containerd', '-d']);
  await loadBusybox();
  await apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'workload' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'workload' } },
      template: {
        metadata: { labels: { app: 'workload' } },
        spec: { terminationGracePeriodSeconds: 1, containers: [container('sleep 1000000')] },
      },
    },
  });
  await apply(database('rows', {}));
  await loadDatabases(AbortSignal.timeout(15 * 60_000));
  await apply(...databases);
  await kubectl('rollout', 'status', 'deployment/workload', '--timeout=60s');
  await kubectl('rollout', 'status', 'statefulset/rows', '--timeout=60s');
  await databasesRun();
  await fillDatabases();
});

test.after.always('the cluster is removed', async () => {
  await sh('./cleanup.sh');
});

test.serial('status tells what runs, and what it uses', async (t) => {
  const { phase, node, ports, certificates, cgroups, services } = await status();
  t.is(phase, 'running');
  t.like(node, { ready: true });
  t.regex(node.version, /^v1\./);
  t.true(ports.some(({ owner }) => owner === 'api-server'));
  t.true(Date.parse(certificates['kube-apiserver'] ?? '') > Date.now());
  t.true(['delegated', 'none'].includes(cgroups));
  for (const { name, hostPid, memory } of services.filter(({ pid }) => pid !== undefined)) {
    t.is(await programOf(hostPid ?? 0), name);
    t.true((memory ?? 0) > 2 ** 20, name);
  }
});

test.serial('timeline draws how the start went', async (t) => {
  const text = await ok('bin/u7s.js', ['timeline']);
  t.regex(text, /^cluster life: up in \d/);
  t.regex(text, /^\* kube-apiserver /m);
  t.regex(await ok('bin/u7s.js', ['timeline', '--output', '-']), /^<svg .*<\/svg>$/s);
});

test.serial(
  'restart of one service leaves the others alone, of everything brings everything back',
  async (t) => {
    const before = await status();
    await ok('bin/u7s.js', ['restart', 'kube-proxy']);
    const between = await status();
    t.not(serviceIn(between, 'kube-proxy').pid, serviceIn(before, 'kube-proxy').pid);
    t.is(serviceIn(between, 'kubelet').pid, serviceIn(before, 'kubelet').pid);
    await ok('bin/u7s.js', ['restart']);
    t.like(await status(), { phase: 'running', rebuilds: 0, launcherPid: before.launcherPid });
    t.like(await sh('bin/u7s.js', ['restart', 'nonsense']), { exitCode: 1 });
  },
);

test.serial('after a reboot the same cluster comes back, with its Deployments', async (t) => {
  const { uid: userId } = await account();
  const uid = await clusterUid();
  const { launcherPid } = await status();
  const processes = await processTree(launcherPid);
  for (const { pid } of processes) kill(pid);
  await until(async () => (await stillRunning(processes)).length === 0);
  await rm(`/run/user/${userId}/usernetes-life`, { recursive: true, force: true });

  t.is((await sh('bin/u7s.js', ['status'])).exitCode, 3);
  await up();
  t.is(await clusterUid(), uid);
  await workloadRuns();
  // One row for each start of the container, of which a slow host may take several.
  t.regex(await kubectl('exec', 'rows-0', '--', 'cat', '/data/rows'), /^row\nrow/);
  t.notRegex(await readFile('/proc/self/mountinfo', 'utf8'), /usernetes-life/);
  await databasesRun();
  t.deepEqual(await askDatabases(), kept, 'after SIGKILL of everything');
});

test.serial('PostgreSQL and Redis have their data after down and up', async (t) => {
  await ok('bin/u7s.js', ['down']);
  await up();
  await databasesRun();
  t.deepEqual(await askDatabases(), kept);
});

test.serial('logs are merged, those of the launcher and RootlessKit too', async (t) => {
  const text = await ok('bin/u7s.js', ['logs', '--since', '5m', 'launcher', 'etcd', 'rootlesskit']);
  t.regex(text, /^\[launcher\] .*the cluster is up$/m);
  for (const name of ['etcd', 'rootlesskit']) t.regex(text, RegExp(`^\\[${name}\\] `, 'm'));
});

test.serial('reset empties the cluster, keeps the binaries and starts nothing', async (t) => {
  const { home } = await account();
  const state = join(home, '.local/state/usernetes/life');
  const [uid, ca] = [await clusterUid(), await readFile(join(state, 'pki/ca.crt'), 'utf8')];
  await ok('bin/u7s.js', ['reset']);
  t.is((await sh('bin/u7s.js', ['status'])).exitCode, 3);
  for (const gone of ['etcd', 'pki', 'kubelet', 'containerd', 'volumes'])
    await t.throwsAsync(lstat(join(state, gone)), { code: 'ENOENT' });
  await up();
  t.not(await clusterUid(), uid);
  t.not(await readFile(join(state, 'pki/ca.crt'), 'utf8'), ca);
  t.is((await kubectl('get', 'deployments', '-o', 'name')).trim(), '');
});

type Status = {
  phase: string;
  launcherPid: number;
  rebuilds: number;
  cgroups: string;
  node: { ready: boolean; version: string };
  ports: { owner: string }[];
  certificates: Record<string, string>;
  services: Service[];
};

type Service = {
  name: string;
  pid?: number;
  hostPid?: number;
  memory?: number;
  restarts: number;
  lastExit?: string;
};

async function status(): Promise<Status> {
  return JSON.parse((await sh('bin/u7s.js', ['status', '-o', 'json'])).stdout) as Status;
}

function serviceIn({ services }: Status, name: string): Service {
  const found = services.find((service) => service.name === name);
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

async function workloadRuns(): Promise<void> {
  await kubectl('rollout', 'status', 'deployment/workload', '--timeout=60s');
  await kubectl('exec', 'deployment/workload', '--', 'true');
  await kubectl('rollout', 'status', 'statefulset/rows', '--timeout=60s');
}

async function programOf(pid: number): Promise<string> {
  const [command = ''] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  return command.split('/').at(-1) ?? '';
}

async function clusterUid(): Promise<string> {
  return kubectl('get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}');
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It died with the one before.
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 90_000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error('it did not come true within 90 s');
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
