import { dirname } from 'node:path';
import { nthAddress } from '../lib/cidr.js';
import { U7sError } from '../lib/errors.js';
import type { ServiceDefinition } from '../supervisor/definition.js';
import { hostAddressIn } from '../rootless/network.js';
import { proxyEnvironment } from '../settings/proxy.js';
import { bundledImages } from './bundled-images.js';
import { containerd, containerdRuntime, containerdSocket, importBundled, storeOf } from './containerd.js';
import { daemon, etcFile, jsonFile, liveness, readiness, systemPath } from '../services/context.js';
import { snapshotterServices } from './fuse-overlayfs.js';
import { imageKeeper } from './image-keeper.js';
import { dockerOptionsFile, readDockerOptions } from './docker-options.js';
import type { Runtime, RuntimeContext } from './runtime.js';

/**
 * dockerd and the kubelet share one containerd and, in its namespace `k8s.io`, the same images. The kubelet does not depend
 * on dockerd.
 */
export const dockerRuntime: Runtime = {
  artifacts: [...containerdRuntime.artifacts, 'docker', 'docker-init'],
  artifactsOfSnapshotter: containerdRuntime.artifactsOfSnapshotter,
  namespaces: {
    remove: [...containerdRuntime.namespaces.remove, '/run/docker', '/run/docker.pid', '/var/lib/docker'],
    binds: { ...containerdRuntime.namespaces.binds, '/var/lib/docker': 'docker' },
  },
  criSocket: containerdRuntime.criSocket,
  containers: containerdRuntime.containers,
  readyForKubelet: containerdRuntime.readyForKubelet,
  services: (context) => [
    ...snapshotterServices(context),
    containerd(context, ['runc']),
    ...(context.settings.kubernetes
      ? [bundledImages(importBundled(context), { containerd: 'ready' }), imageKeeper(context)]
      : []),
    dockerd(context),
  ],
  images: containerdRuntime.images,
  engine: {
    usualSocket: '/run/docker.sock',
    clientEnv: (socket) => ({ DOCKER_HOST: `unix://${socket}` }),
    networks: ['dockerCidr'],
    readOptions: (folder) => readDockerOptions(dockerOptionsFile(folder)),
  },
};

function dockerd(context: RuntimeContext): ServiceDefinition {
  const { engineSocket, user, rootlesskitDir, takeBackPorts } = context;
  const config = etcFile(context, 'docker.json');
  const ping = { type: 'http', url: 'http://docker/_ping', socket: engineSocket } as const;
  return daemon('dockerd', {
    command: context.binary('dockerd'),
    args: ['--rootless', '--config-file', config],
    files: [jsonFile(config, dockerConfiguration(context))],
    before: takeBackPorts,
    env: {
      PATH: [dirname(context.binary('runc')), systemPath].join(':'),
      HOME: user.home,
      // It looks there for docker/certs.d, where registries are described as for containerd.
      XDG_CONFIG_HOME: context.registries.configHome,
      ...proxyEnvironment(context.settings),
      // By these it finds RootlessKit, at which it publishes ports.
      ROOTLESSKIT_STATE_DIR: rootlesskitDir,
      ROOTLESSKIT_PARENT_EUID: String(user.uid),
    },
    dependsOn: { containerd: 'ready' },
    ready: { ...ping, ...readiness },
    live: { ...ping, ...liveness },
    // dockerd gives its containers 10 s to end.
    graceMs: 15_000,
  });
}

/** What the user sets, in addition to what the cluster sets, which everything else is built upon. */
function dockerConfiguration(context: RuntimeContext): object {
  const ours = clusterOptions(context);
  const { engineOptions } = context;
  const taken = Object.keys(engineOptions).filter((name) => name in ours);
  if (taken.length === 0) return { ...engineOptions, ...ours };
  const file = dockerOptionsFile(context.runtimeConfig);
  throw new U7sError('setting-invalid', `${file} sets ${taken.join(', ')}, which the cluster sets itself`, {
    fixes: [`remove ${taken.length === 1 ? 'it' : 'them'} from ${file}`],
  });
}

/** In the words of daemon.json. */
function clusterOptions(context: RuntimeContext): object {
  const { engineSocket, engineCidr, publishAddress } = context;
  return {
    hosts: [`unix://${engineSocket}`],
    pidfile: '/run/docker.pid',
    'exec-root': '/run/docker',
    'data-root': '/var/lib/docker',
    containerd: containerdSocket,
    'containerd-namespace': storeOf(context.binary).namespace,
    features: { 'containerd-snapshotter': true },
    'storage-driver': context.snapshotter,
    'init-path': context.binary('docker-init'),
    'userland-proxy-path': context.binary('docker-proxy'),
    // The first network is the default bridge's; each network that people make gets one of the others.
    bip: `${nthAddress(engineCidr, 1)}/24`,
    'default-address-pools': [{ base: engineCidr, size: 24 }],
    mtu: context.settings.mtu,
    'default-network-opts': { bridge: { 'com.docker.network.driver.mtu': String(context.settings.mtu) } },
    ip: publishAddress,
    'firewall-backend': context.netfilter.backend,
    // Traffic of pods is forwarded too, which is not for dockerd to drop.
    'ip-forward-no-drop': true,
    'allow-direct-routing': true,
    // `--add-host NAME:host-gateway` leads to the ports of the host that are open to the node.
    'host-gateway-ips': [hostAddressIn(context.settings.nodeSubnet)],
  };
}
