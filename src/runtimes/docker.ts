import { dirname, join } from 'node:path';
import { containerdStore } from '../images/containerd-store.js';
import { nthAddress } from '../lib/cidr.js';
import { U7sError } from '../lib/errors.js';
import type { ServiceDefinition } from '../supervisor/definition.js';
import { bundledImages } from './bundled-images.js';
import { containerd, containerdRuntime, containerdSocket, importBundled, storeOf } from './containerd.js';
import {
  daemon,
  etcFile,
  jsonFile,
  liveness,
  readiness,
  systemPath,
  type ServiceContext,
} from '../services/context.js';
import { snapshotterServices } from './fuse-overlayfs.js';
import { imageKeeper } from './image-keeper.js';
import type { Runtime } from './runtime.js';

/**
 * dockerd and the kubelet over one containerd: in its namespace `k8s.io` both have the same images. The kubelet does not
 * depend on dockerd.
 */
export const dockerRuntime: Runtime = {
  artifacts: [...containerdRuntime.artifacts, 'docker', 'docker-init'],
  namespaces: {
    remove: [...containerdRuntime.namespaces.remove, '/run/docker', '/run/docker.pid', '/var/lib/docker'],
    binds: { ...containerdRuntime.namespaces.binds, '/var/lib/docker': 'docker' },
  },
  servesDocker: true,
  criSocket: containerdRuntime.criSocket,
  readyForKubelet: containerdRuntime.readyForKubelet,
  services: (context) => [
    ...snapshotterServices(context),
    containerd(context, ['runc']),
    ...(context.kubernetes
      ? [bundledImages(importBundled(context), { containerd: 'ready' }), imageKeeper(context)]
      : []),
    dockerd(context),
  ],
  images: (binary) => containerdStore(storeOf(binary)),
};

function dockerd(context: ServiceContext): ServiceDefinition {
  const { socket, user, rootlesskitDir, takeBackPorts } = context.docker;
  const config = etcFile(context, 'docker.json');
  const ping = { type: 'http', url: 'http://docker/_ping', socket } as const;
  return daemon('dockerd', {
    command: context.binary('dockerd'),
    args: ['--rootless', '--config-file', config],
    files: [jsonFile(config, dockerConfiguration(context))],
    before: takeBackPorts,
    env: {
      PATH: [dirname(context.binary('runc')), systemPath].join(':'),
      HOME: user.home,
      // By these it finds RootlessKit, to publish ports.
      ROOTLESSKIT_STATE_DIR: rootlesskitDir,
      ROOTLESSKIT_PARENT_EUID: String(user.uid),
    },
    dependsOn: { containerd: 'ready' },
    ready: { ...ping, ...readiness },
    live: { ...ping, ...liveness },
    // It gives its containers 10 s to end.
    graceMs: 15_000,
  });
}

/** What the user sets, beside what the cluster does: over that it cannot go, since all else is built upon it. */
function dockerConfiguration(context: ServiceContext): object {
  const ours = clusterOptions(context);
  const taken = Object.keys(context.docker.options).filter((name) => name in ours);
  if (taken.length === 0) return { ...context.docker.options, ...ours };
  const file = dockerOptionsFile(context.runtimeConfig);
  throw new U7sError('setting-invalid', `${file} sets ${taken.join(', ')}, which the cluster sets itself`, {
    fixes: [`remove ${taken.length === 1 ? 'it' : 'them'} from ${file}`],
  });
}

/** In the words of daemon.json. */
export const dockerOptionsFile = (settings: string): string => join(settings, 'docker.json');

function clusterOptions(context: ServiceContext): object {
  const { socket, cidr, publishAddress } = context.docker;
  return {
    hosts: [`unix://${socket}`],
    pidfile: '/run/docker.pid',
    'exec-root': '/run/docker',
    'data-root': '/var/lib/docker',
    containerd: containerdSocket,
    'containerd-namespace': storeOf(context.binary).namespace,
    features: { 'containerd-snapshotter': true },
    'storage-driver': context.snapshotter,
    'init-path': context.binary('docker-init'),
    'userland-proxy-path': context.binary('docker-proxy'),
    // The first network is the default bridge's; those that people make get one each of the others.
    bip: `${nthAddress(cidr, 1)}/24`,
    'default-address-pools': [{ base: cidr, size: 24 }],
    mtu: context.mtu,
    'default-network-opts': { bridge: { 'com.docker.network.driver.mtu': String(context.mtu) } },
    ip: publishAddress,
    'firewall-backend': context.netfilter.backend,
    // What pods send is forwarded too, and is none of its business.
    'ip-forward-no-drop': true,
    'allow-direct-routing': true,
  };
}
