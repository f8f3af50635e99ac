import { spawn } from 'node:child_process';
import { lstat, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { instanceName } from '#src/settings/paths.js';
import { account, stillRunning } from '../account.js';
import { busyboxImage, container, pod, serve } from '../pods.js';
import { clusterProcesses, clusterUid, status, until } from '../running-cluster.js';
import { apply, kubectl, ok, sh } from '../shell.js';
import { namesAsOnHost, ownResolver, stillWritten, write, writer } from './host-files.js';
import { outside } from './outside.js';
import { claim, database, folderOf, isThere, podWithClaim } from '../volumes.js';

/** One thing that holds whatever the runtime is; those of a preset run in their order, on one cluster. */
export type Check = (t: ExecutionContext, preset: Preset) => Promise<void>;

export type Preset = {
  name: string;
  /** What the node says of its runtime. */
  runtime: RegExp;
};

export const kubernetesChecks: Readonly<Record<string, Check>> = {
  'Ready, names its runtime': async (t, { runtime }) => {
    const [node] = (JSON.parse(await kubectl('get', 'nodes', '-o', 'json')) as { items: KubeNode[] }).items;
    t.is(node?.status.conditions.find(({ type }) => type === 'Ready')?.status, 'True');
    t.regex(node?.status.nodeInfo.containerRuntimeVersion ?? '', runtime);
  },

  'image load': async (t) => {
    t.true((await ok('bin/u7s.js', ['image', 'ls'])).includes(busyboxImage));
    await apply(
      pod('hello', 'echo hello from $(hostname); sleep 1000000', { volume: '/data' }),
      pod('forwarded', serve(8080, 'through-the-tunnel'), { port: 8080 }),
    );
    await kubectl('wait', 'pod/hello', 'pod/forwarded', '--for=condition=Ready', '--timeout=60s');
  },

  logs: async (t) => {
    t.is((await kubectl('logs', 'hello')).trim(), 'hello from hello');
  },

  exec: async (t) => {
    const cat = ['exec', '-i', 'hello', '--', 'cat'];
    t.is((await ok('./kubectl.sh', cat, { input: 'by stdin' })).trim(), 'by stdin');
    t.is((await sh('./kubectl.sh', ['exec', 'hello', '--', 'sh', '-c', 'exit 7'])).exitCode, 7);
  },

  cp: async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'u7s-cp-'));
    t.teardown(() => rm(folder, { recursive: true }));
    await ok('chmod', ['0777', folder]);
    const file = join(folder, 'file');
    await writeFile(file, 'copied there and back', { mode: 0o644 });
    await kubectl('cp', file, 'hello:/tmp/file');
    await kubectl('cp', 'hello:/tmp/file', `${file}.back`);
    t.is(await readFile(`${file}.back`, 'utf8'), 'copied there and back');
  },

  'port-forward': async (t) => {
    const forward = spawn('./kubectl.sh', ['port-forward', 'pod/forwarded', ':8080'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.teardown(() => void forward.kill('SIGINT'));
    const port = await new Promise<number>((resolve, reject) => {
      forward.once('exit', (code) => reject(new Error(`port-forward ended with ${code}`)));
      forward.stdout.on('data', (chunk: Buffer) => {
        const [, found] = /127\.0\.0\.1:(\d+)/.exec(chunk.toString()) ?? [];
        if (found !== undefined) resolve(Number(found));
      });
    });
    t.is(await readAll(port), 'through-the-tunnel\n');
  },

  'ClusterIP, DNS': async (t) => {
    await apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'forwarded' },
      spec: { selector: { app: 'forwarded' }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    const ask = 'nc -w 2 forwarded.default.svc.cluster.local 80 </dev/null';
    t.is((await inPod('hello', ask)).trim(), 'through-the-tunnel');
  },

  'StatefulSet DNS': async (t) => {
    await apply(
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'peers' },
        spec: { clusterIP: 'None', selector: { app: 'peers' }, ports: [{ port: 8080 }] },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'peers' },
        spec: {
          serviceName: 'peers',
          replicas: 3,
          podManagementPolicy: 'Parallel',
          selector: { matchLabels: { app: 'peers' } },
          template: {
            metadata: { labels: { app: 'peers' } },
            spec: { terminationGracePeriodSeconds: 1, containers: [container('sleep 1000000')] },
          },
        },
      },
    );
    await kubectl('rollout', 'status', 'statefulset/peers', '--timeout=60s');
    for (const from of [0, 1, 2]) {
      for (const to of [0, 1, 2]) {
        const found = await inPod(`peers-${from}`, `nslookup peers-${to}.peers.default.svc.cluster.local`);
        t.regex(found, /Address.*10\.88\./, `peers-${from} → peers-${to}`);
      }
    }
  },

  volumes: async (t) => {
    await apply(
      database('rows', { runAsUser: 12345, runAsGroup: 12345, fsGroup: 2000 }, 'standard'),
      claim('single', { mode: 'ReadWriteOncePod' }),
      podWithClaim('single', 'echo mine > /data/file && sleep 1000000', { runAsUser: 54321 }),
    );
    await kubectl('rollout', 'status', 'statefulset/rows', '--timeout=60s');
    await kubectl('wait', 'pod/single', '--for=condition=Ready', '--timeout=60s');
    t.is(await kubectl('get', 'pvc', 'volume-rows-0', '-o', 'jsonpath={.status.capacity.storage}'), '1Gi');
    t.is(await kubectl('get', 'pvc', 'single', '-o', 'jsonpath={.spec.storageClassName}'), 'local');
    t.regex(await kubectl('exec', 'rows-0', '--', 'ls', '-ln', '/data'), /12345 +2000 .* rows/);
    t.true((await stat(await folderOf('single', cluster()))).isDirectory());
  },

  'a volume that cannot be': async (t) => {
    await apply(
      claim('shared', { mode: 'ReadWriteMany', storageClass: 'local-path' }),
      podWithClaim('shared', ':'),
    );
    const event = ['get', 'events', '--field-selector=involvedObject.name=shared,reason=ProvisioningFailed'];
    await until(async () => /ReadWriteMany.*fix: .*ReadWriteOnce/.test(await kubectl(...event)));
    const refused = await sh('./kubectl.sh', ['apply', '-f', '-'], {
      input: JSON.stringify({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: 'elsewhere' },
        provisioner: 'usernetes/local',
        volumeBindingMode: 'WaitForFirstConsumer',
        parameters: { path: '../../etc' },
      }),
    });
    t.regex(refused.stderr, /has no parameters; fix/);
    await kubectl('delete', 'pod/shared', 'pvc/shared');
  },

  'a node makes no volume of another': async (t) => {
    const volume = (node: string, path: string): string =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: { name: 'pvc-0' },
        spec: {
          accessModes: ['ReadWriteOnce'],
          capacity: { storage: '1Gi' },
          claimRef: { namespace: 'default', name: 'x', uid: '0' },
          local: { path },
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
              ],
            },
          },
        },
      });
    const as = (node: string) => [
      ...['--as', `usernetes:local-storage:${node}`, '--as-group', 'usernetes:local-storage'],
      ...['--as-group', 'system:authenticated'],
    ];
    const create = (node: string, input: string) =>
      sh('./kubectl.sh', ['create', '--dry-run=server', '-f', '-', ...as(node)], { input });
    const own = '/var/lib/usernetes/volumes/pvc-0';
    t.is((await create('a', volume('a', own))).exitCode, 0);
    for (const other of [volume('b', own), volume('a', '/var/lib/kubelet')])
      t.regex((await create('a', other)).stderr, /usernetes-local-storage/);
    t.is((await sh('./kubectl.sh', ['get', 'secrets', '-A', ...as('a')])).exitCode, 1);
  },

  'down and up keep data': async (t, { name }) => {
    await apply(writer());
    await kubectl('wait', 'pod/writer', '--for=condition=Ready', '--timeout=60s');
    await kubectl('exec', 'hello', '--', 'sh', '-c', 'echo kept > /data/file');
    await write();
    const uid = await clusterUid();
    const processes = await clusterProcesses();
    await ok('bin/u7s.js', ['down']);
    t.is((await sh('bin/u7s.js', ['status'])).exitCode, 3);
    t.deepEqual(await stillRunning(processes), []);
    const { proxyPort, greeterPort } = await outside();
    const env = { HTTPS_PROXY: `http://user:secret@127.0.0.1:${proxyPort}`, U7S_PASS_PROXY_PASSWORD: '1' };
    const further = ['--host-access', String(greeterPort), '--kubelet-arg', 'max-pods=42'];
    const resolver = await ownResolver(t);
    const { exitCode, stderr } = await resolver.sh('./run.sh', ['-d', ...further], { env });
    t.is(exitCode, 0, stderr);
    t.is((await status()).preset, name, 'the preset need not be named again');
    t.is(await clusterUid(), uid);
    await kubectl('wait', 'pod/hello', '--for=condition=Ready', '--timeout=90s');
    t.is((await kubectl('exec', 'hello', '--', 'cat', '/data/file')).trim(), 'kept');
    await kubectl('rollout', 'status', 'statefulset/rows', '--timeout=90s');
    t.regex(await kubectl('exec', 'rows-0', '--', 'cat', '/data/rows'), /^row\nrow/);
    await stillWritten(t);
    await namesAsOnHost(t, resolver);
    await kubectl('delete', 'pod', 'writer', '--wait=false');
  },

  'volumes go with their claims': async (t) => {
    const folders = [await folderOf('volume-rows-0', cluster()), await folderOf('single', cluster())];
    const [kept = '', gone = ''] = folders;
    const volume = basename(kept);
    await kubectl('patch', 'pv', volume, '-p', '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}');
    await kubectl('delete', 'statefulset/rows', 'pod/single');
    await kubectl('delete', 'pvc/volume-rows-0', 'pvc/single');
    await until(async () => !(await isThere(gone)));
    t.true(await isThere(kept));
    t.is(await kubectl('get', 'pv', volume, '-o', 'jsonpath={.status.phase}'), 'Released');
  },

  'a proxy and a port of the host': async (t) => {
    const { proxyPort, greeterPort, asked } = await outside();
    await kubectl('run', 'elsewhere', '--image=registry.invalid/image:1', '--restart=Never');
    await until(() => Promise.resolve(asked.includes('registry.invalid:443')), 60_000);
    t.deepEqual([...new Set(asked)], ['registry.invalid:443'], 'nothing of the cluster goes through it');
    await kubectl('delete', 'pod', 'elsewhere', '--now');
    const greeting = await inPod('hello', `nc -w 2 host.usernetes.internal ${greeterPort} </dev/null`);
    t.is(greeting.trim(), 'greetings');
    const closed = ['exec', 'hello', '--', 'nc', '-w', '2', 'host.usernetes.internal', String(proxyPort)];
    t.not((await sh('./kubectl.sh', closed)).exitCode, 0, 'the proxy serves the node alone');
    const shown = await ok('bin/u7s.js', ['status', '-o', 'json']);
    t.regex(shown, new RegExp(`"proxy": "http://127\\.0\\.0\\.1:${proxyPort}"`));
    t.notRegex(shown + (await ok('bin/u7s.js', ['config', 'view'])), /secret/);
    const pods = await kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].status.capacity.pods}');
    t.is(pods, '42');
  },
};

const cluster = (): string => process.env['U7S_CLUSTER'] ?? 'default';

/** Of every preset, with Kubernetes or not, and the last. */
export const cleanup: Check = async (t) => {
  const { home, uid } = await account();
  const name = process.env['U7S_CLUSTER'] ?? '';
  const processes = await clusterProcesses();
  await ok('./cleanup.sh');
  t.deepEqual(await stillRunning(processes), []);
  for (const gone of [`/run/user/${uid}/${instanceName(name)}`, join(home, '.local/state/usernetes', name)]) {
    await t.throwsAsync(stat(gone), { code: 'ENOENT' });
  }
  await t.throwsAsync(lstat('config/localhost.kubeconfig'), { code: 'ENOENT' });
  const listed = await Promise.all(
    ['.kube/config', '.docker/config.json'].map((file) => readFile(join(home, file), 'utf8').catch(() => '')),
  );
  t.notRegex(listed.join('\n'), new RegExp(instanceName(name)));
  t.notRegex(await readFile('/proc/self/mountinfo', 'utf8'), new RegExp(instanceName(name)));
};

/** Runs a command in a pod until it succeeds: what was just made known takes a moment to be known everywhere. */
function inPod(name: string, command: string): Promise<string> {
  const patient = `for i in 1 2 3 4 5 6 7 8 9 10; do ${command} && exit 0; sleep 0.5; done; exit 1`;
  return kubectl('exec', name, '--', 'sh', '-c', patient);
}

type KubeNode = {
  status: { conditions: { type: string; status: string }[]; nodeInfo: { containerRuntimeVersion: string } };
};

/** What a server on the host's loopback says before it hangs up. */
export function readAll(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    connect(port, '127.0.0.1')
      .on('data', (chunk: Buffer) => (text += chunk.toString()))
      .once('end', () => resolve(text))
      .once('error', reject);
  });
}
