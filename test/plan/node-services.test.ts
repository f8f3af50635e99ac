import test from 'ava';
import { startOrder } from '#src/supervisor/graph.js';
import { artifactsOf } from '#src/plan/artifacts.js';
import { nodeServices } from '#src/plan/node-services.js';
import { runtimes } from '#src/runtimes/table.js';
import { context, contextWith } from '../services/context.js';

const services = nodeServices(context, runtimes.containerd);
const withDocker = nodeServices(context, runtimes.docker);

for (const service of services) {
  test(`${service.name}: command line, files and policies`, (t) => t.snapshot(service));
}

for (const service of withDocker.filter(({ name }) => ['dockerd', 'image-keeper'].includes(name))) {
  test(`${service.name}: command line, files and policies`, (t) => t.snapshot(service));
}

test('with docker, the rest of the node stays as it is, and the kubelet does not depend on dockerd', (t) => {
  const others = withDocker.filter(({ name }) => !['dockerd', 'image-keeper', 'containerd'].includes(name));
  t.deepEqual(
    others,
    services.filter(({ name }) => name !== 'containerd'),
  );
  t.false(others.some(({ dependsOn }) => 'dockerd' in dependsOn));
  t.deepEqual(withDocker.find(({ name }) => name === 'dockerd')?.dependsOn, { containerd: 'ready' });
});

const dockerWith = (engineOptions: Record<string, unknown>): Record<string, unknown> => {
  const services = nodeServices({ ...context, engineOptions }, runtimes.docker);
  const [file] = services.find(({ name }) => name === 'dockerd')?.files ?? [];
  return JSON.parse(file?.content ?? '') as Record<string, unknown>;
};

test('what the user sets for dockerd is added to what the cluster sets', (t) => {
  const mirrors = ['https://mirror.example'];
  t.like(dockerWith({ 'registry-mirrors': mirrors }), {
    'registry-mirrors': mirrors,
    'data-root': '/var/lib/docker',
  });
});

test('a setting of dockerd that is the cluster’s own is refused', (t) => {
  t.throws(() => dockerWith({ debug: true, 'data-root': '/elsewhere' }), {
    code: 'setting-invalid',
    message: /\/home\/user\/\.config\/usernetes\/docker\.json sets data-root,/,
  });
});

test('docker alone is containerd without its CRI plugins, and dockerd', (t) => {
  const alone = runtimes.docker.services(contextWith({ kubernetes: false }));
  t.deepEqual(
    alone.map(({ name }) => name),
    ['containerd', 'dockerd'],
  );
  const [config, ...more] = alone[0]?.files ?? [];
  t.deepEqual(more, []);
  t.regex(config?.content ?? '', /disabled_plugins = \[[^\]]*"io\.containerd\.grpc\.v1\.cri"/);
  t.notRegex(config?.content ?? '', /\[plugins\."io\.containerd\.cri/);
});

test('the services can be started in order, etcd before the API and the API before the kubelet', (t) => {
  const order = startOrder(services);
  t.true(order.indexOf('etcd') < order.indexOf('kube-apiserver'));
  t.true(order.indexOf('kube-apiserver') < order.indexOf('kubelet'));
});

test('every file is private to the user', (t) => {
  for (const { files } of [...services, ...withDocker])
    for (const file of files) t.is(file.mode & 0o077, 0, file.path);
});

test('no secret is on a command line or in an environment', (t) => {
  for (const { args, env } of services) {
    t.notRegex(JSON.stringify({ args, env }), /BEGIN|password|token=/i);
  }
});

test('every daemon says when it is ready', (t) => {
  for (const service of services.concat(runtimes.docker.services(contextWith({ kubernetes: false }))))
    if (service.kind === 'daemon') t.truthy(service.ready, service.name);
});

test('where only nftables works kube-proxy and the CNI plugins use it', (t) => {
  const services = nodeServices({ ...context, netfilter: { backend: 'nftables' } }, runtimes.containerd);
  const file = (ending: string): string =>
    services.flatMap(({ files }) => files).find(({ path }) => path.endsWith(ending))?.content ?? '';
  t.like(JSON.parse(file('kube-proxy.json')), { mode: 'nftables' });
  const [bridge, portmap] = (JSON.parse(file('.conflist')) as { plugins: object[] }).plugins;
  t.like(bridge, { ipMasqBackend: 'nftables' });
  t.like(portmap, { backend: 'nftables' });
});

test('a cluster without volumes has no program that makes them, and needs none', (t) => {
  const { settings } = contextWith({ without: ['storage'] });
  t.false(
    nodeServices({ ...context, settings }, runtimes.containerd).some(({ name }) => name === 'local-storage'),
  );
  t.false(artifactsOf(settings).includes('local-storage'));
});

test('with delegated cgroups pods have limits and runc is called directly', (t) => {
  const delegated = nodeServices({ ...context, cgroups: 'delegated' }, runtimes.containerd);
  const file = (name: string, ending: string): string =>
    delegated.find((service) => service.name === name)?.files.find(({ path }) => path.endsWith(ending))
      ?.content ?? '';
  const kubelet = JSON.parse(file('kubelet', 'kubelet.json')) as Record<string, unknown>;
  t.false('cgroupsPerQOS' in kubelet);
  t.false('enforceNodeAllocatable' in kubelet);
  t.true(file('containerd', 'containerd.toml').includes('BinaryName = "/artifacts/runc"'));
});

test('use is read from cgroups where there are some, else from processes; nothing is guessed', (t) => {
  const usage = (cgroups: 'delegated' | 'none'): string | undefined =>
    nodeServices({ ...context, cgroups }, runtimes.crio)
      .find(({ name }) => name === 'metrics')
      ?.args.find((flag) => flag.startsWith('--usage='));
  t.is(usage('delegated'), '--usage=cgroups');
  t.is(usage('none'), '--usage=processes');
});

test('a cluster without metrics has no service for them, and a worker serves none', (t) => {
  const names = nodeServices(contextWith({ without: ['metrics'] }), runtimes.containerd).map(
    ({ name }) => name,
  );
  t.false(names.includes('metrics'));
  const ofWorker = nodeServices(worker, runtimes.containerd).find(({ name }) => name === 'metrics');
  t.false(ofWorker?.args.some((flag) => flag.startsWith('--listen=')));
});

const shared = { ...contextWith({ hostIp: '192.0.2.10' }), nodeAddress: '192.0.2.10' };
const controlPlane = 'https://192.0.2.10:6443';
const worker = {
  ...contextWith({ hostIp: '192.0.2.11', nodeName: 'second', controlPlane }),
  nodeAddress: '192.0.2.11',
  role: 'worker',
  apiServer: controlPlane,
} as const;

test('a node that has joined another has nothing of a control plane, and asks the other', (t) => {
  const services = nodeServices(worker, runtimes.containerd);
  t.deepEqual(
    services.map(({ name }) => name),
    [
      'containerd',
      'bundled-images',
      'kubelet',
      'kube-proxy',
      'flannel',
      'local-storage',
      'metrics',
      'network-policies',
    ],
  );
  t.notThrows(() => startOrder(services));
  for (const { name, files } of services) {
    const kubeconfig = files.find(({ path }) => path.endsWith('.kubeconfig'));
    if (kubeconfig !== undefined) t.regex(kubeconfig.content, /server: "https:\/\/192\.0\.2\.10:6443"/, name);
    t.notRegex(JSON.stringify(files), /ca\.key|admin|etcd/, name);
  }
});

test('among several nodes each has its part of the pods’ network, and Flannel says which', (t) => {
  const services = nodeServices(shared, runtimes.containerd);
  const find = (name: string) => services.find((service) => service.name === name);
  t.true(find('kube-controller-manager')?.args.includes('--allocate-node-cidrs=true'));
  t.true(find('kube-controller-manager')?.args.includes('--cluster-cidr=10.5.0.0/16'));
  t.false(JSON.stringify(find('containerd')?.files).includes('conflist'), 'until then there is no network');
  t.snapshot(find('flannel'));
});

test('the API is advertised by the address and port that other hosts reach', (t) => {
  const services = nodeServices(
    { ...contextWith({ hostIp: '192.0.2.10', apiPort: 7000 }), nodeAddress: '192.0.2.10' },
    runtimes.containerd,
  );
  const args = services.find(({ name }) => name === 'kube-apiserver')?.args ?? [];
  t.true(args.includes('--advertise-address=192.0.2.10'));
  t.true(args.includes('--secure-port=7000'));
  t.true(args.includes('--enable-bootstrap-token-auth=true'));
});

test('the kubelet registers the node with the labels of the settings', (t) => {
  const nodeLabels = { disk: 'ssd', 'example.org/rack': 'r1' };
  const services = nodeServices(contextWith({ nodeLabels }), runtimes.containerd);
  const args = services.find(({ name }) => name === 'kubelet')?.args ?? [];
  t.true(args.includes('--node-labels=disk=ssd,example.org/rack=r1'));
});
