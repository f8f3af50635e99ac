import test from 'ava';
import type { ArtifactName } from '#src/artifacts/artifact.js';
import { catalog } from '#src/artifacts/catalog.js';
import type { ResolvedArtifact } from '#src/artifacts/store/store.js';
import { artifactsOf, type Artifacts } from '#src/plan/artifacts.js';
import { planInstance } from '#src/plan/instance.js';
import { planNamespaces } from '#src/plan/namespaces.js';
import type { HostFacts } from '#src/plan/types.js';
import { artifactsOfSnapshotter } from '#src/plan/snapshotter.js';
import type { Runtime } from '#src/runtimes/runtime.js';
import { runtimes } from '#src/runtimes/table.js';
import { daemon } from '#src/services/context.js';
import { clusterPaths } from '#src/settings/paths.js';
import type { RuntimeName } from '#src/settings/runtime-names.js';
import { parseSettings } from '#src/settings/schema.js';
import { startOrder } from '#src/supervisor/graph.js';

const socket = '/run/youki/cri.sock';

/** A runtime that nobody has, with an engine for the user's own programs. */
const madeUp: Runtime = {
  artifacts: ['runc', 'skopeo'],
  artifactsOfSnapshotter: { 'fuse-overlayfs': ['fuse-overlayfs'] },
  namespaces: {
    remove: ['/run/youki'],
    binds: { '/var/lib/youki': 'youki' },
    links: { '/etc/youki': 'youki.d' },
  },
  criSocket: socket,
  containers: 'youki:/run/youki',
  readyForKubelet: { youki: 'ready' },
  services: ({ binary, engineSocket, engineOptions, engineCidr, publishAddress }) => [
    daemon('youki', {
      command: binary('runc'),
      args: [engineSocket, engineCidr, publishAddress, JSON.stringify(engineOptions)],
    }),
  ],
  images: () => {
    throw new Error('no image gets in');
  },
  engine: {
    usualSocket: '/run/youki.sock',
    clientEnv: (at) => ({ DOCKER_HOST: at }),
    networks: ['dockerCidr'],
    readOptions: () => Promise.resolve({ debug: true }),
  },
};

// Its line in table.ts and its word in settings/runtime-names.ts.
Object.assign(runtimes, { youki: madeUp });
const name = 'youki' as RuntimeName;

const settings = { ...parseSettings({ nodeName: 'a' }), runtime: name };
const paths = clusterPaths(
  {
    home: '/home/user',
    configHome: '/home/user/.config',
    dataHome: '/home/user/.local/share',
    stateHome: '/home/user/.local/state',
    cacheHome: '/home/user/.cache',
    runtimeDir: '/run/user/1001',
  },
  'default',
);
const host: HostFacts = {
  cgroups: 'delegated',
  snapshotter: 'fuse-overlayfs',
  netfilter: { backend: 'iptables' },
  uid: 1001,
  node: '/usr/bin/node',
  takeBackPorts: '/u7s/take-back-ports.js',
  registryCredentials: '/u7s/registry-credentials.js',
  dockerLogins: '/home/user/.docker/config.json',
  certificateFolders: ['/etc/docker/certs.d'],
  engineOptions: { debug: true },
};

/** Every artifact of the node, as it is found in a cache. */
const artifacts: Artifacts = new Map(
  artifactsOf(settings).map((artifact): [ArtifactName, ResolvedArtifact] => [
    artifact,
    {
      name: artifact,
      version: '1',
      way: 'download',
      cached: true,
      directory: '/artifacts',
      binaries: Object.fromEntries(
        catalog[artifact].binaries.map((program) => [program, `/artifacts/${program}`]),
      ),
    },
  ]),
);

test('its artifacts are those that it names, and none of another runtime', (t) => {
  const ofRuntimes = ['containerd', 'runc', 'docker', 'docker-init', 'crio', 'conmon', 'skopeo'];
  t.deepEqual(
    artifactsOf(settings).filter((artifact) => ofRuntimes.includes(artifact)),
    ['runc', 'skopeo'],
  );
  t.deepEqual(artifactsOfSnapshotter('fuse-overlayfs', name), ['fuse-overlayfs']);
  t.deepEqual(artifactsOfSnapshotter('overlayfs', name), []);
});

test('its place in the namespaces and the socket of its engine are planned', (t) => {
  const plan = planNamespaces(settings, paths, artifacts, host, ['/usr/bin/node', 'supervise.js']);
  t.true(plan.setup.remove.includes('/run/youki'));
  t.true(
    plan.setup.binds.some(
      ({ source, target }) => target === '/var/lib/youki' && source === `${paths.state}/youki`,
    ),
  );
  t.is(plan.setup.links['/etc/youki'], '/home/user/.config/usernetes/youki.d');
  t.deepEqual(plan.engine, {
    folder: '/run/user/1001/usernetes/engine',
    socket: '/run/user/1001/usernetes/engine/docker.sock',
    link: '/run/user/1001/docker.sock',
    takeBack: '/run/user/1001/usernetes/engine/launcher.sock',
  });
  t.is(plan.setup.links['/run/youki.sock'], '/run/user/1001/docker.sock');
});

test('the node is its services and those of every node; the kubelet speaks to it', (t) => {
  const image = { reference: 'localhost/pause:1', archive: '/images/pause.tar', digest: 'sha256:1' };
  const { services, kubernetes } = planInstance(settings, paths, artifacts, host, {
    images: { pause: image, coredns: image },
    addons: { first: [], later: [] },
  });
  t.is(kubernetes?.nodeName, 'a');
  const of = (service: string) => services.find((each) => each.name === service);
  t.deepEqual(of('youki')?.args, [
    '/run/user/1001/usernetes/engine/docker.sock',
    '10.89.0.0/16',
    '127.0.0.1',
    '{"debug":true}',
  ]);
  t.deepEqual(of('kubelet')?.dependsOn['youki'], 'ready');
  t.true(JSON.stringify(of('kubelet')?.files).includes(`unix://${socket}`));
  t.notThrows(() => startOrder(services));
  t.deepEqual(
    services.map((each) => each.name).filter((each) => ['containerd', 'dockerd', 'crio'].includes(each)),
    [],
  );
});

test('alone it is nothing but its own services', (t) => {
  const alone = planInstance({ ...settings, kubernetes: false }, paths, artifacts, host, {
    addons: { first: [], later: [] },
  });
  t.deepEqual(
    alone.services.map((each) => each.name),
    ['youki'],
  );
});
