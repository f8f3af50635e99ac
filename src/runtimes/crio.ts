import { dirname, join } from 'node:path';
import { importMissingCommand, skopeoStore } from '../images/skopeo-store.js';
import type { GeneratedFile, ProbeTarget, ServiceDefinition } from '../supervisor/definition.js';
import { proxyEnvironment } from '../settings/proxy.js';
import { networkConfigurations } from '../services/pod-network.js';
import { bundledImages } from './bundled-images.js';
import { crioConfig } from './crio-config.js';
import { daemon, liveness, systemPath, type ServiceContext, startupMs } from '../services/context.js';
import { renderBoundedOomScore } from './runc-bounded-oom-score.js';
import type { Runtime } from './runtime.js';

const socket = '/run/crio/crio.sock';

/**
 * CRI-O. Its files are where it and skopeo look by default, in the /etc of the namespaces, so that both of them, and people
 * in `u7s shell`, see the same storage and the same policy.
 */
export const crioRuntime: Runtime = {
  artifacts: ['crio', 'conmon', 'skopeo', 'runc'],
  // The storage library of CRI-O calls fuse-overlayfs by itself.
  artifactsOfSnapshotter: { 'fuse-overlayfs': ['fuse-overlayfs'] },
  hostPrograms: ['conmon', 'skopeo'],
  namespaces: {
    remove: ['/etc', '/run', '/var/lib'].flatMap((folder) => [`${folder}/containers`, `${folder}/crio`]),
    binds: { '/var/lib/containers': 'crio' },
    links: { '/etc/containers/registries.conf.d': 'registries.conf.d' },
    registryLinks: {
      '/etc/containers/registries.conf': 'registriesConf',
      '/etc/containers/certs.d': 'certificates',
    },
  },
  criSocket: socket,
  containers: 'crio:/run/containers/storage/overlay-containers',
  readyForKubelet: { crio: 'ready', 'bundled-images': 'completed' },
  services: (context) => [
    crio(context),
    bundledImages(importMissingCommand(context.binary('skopeo'), context.images), { crio: 'ready' }),
  ],
  images: (binary) => skopeoStore(binary('skopeo')),
};

/** The kernel accepts connections on the socket as soon as it exists; only an answer shows that CRI-O works. */
const info: ProbeTarget = { type: 'http', url: 'http://localhost/info', socket };

function crio(context: ServiceContext): ServiceDefinition {
  const runc = context.binary('runc');
  const wrapper = '/etc/crio/runc-bounded-oom-score';
  const delegated = context.cgroups === 'delegated';
  return daemon('crio', {
    command: context.binary('crio'),
    // The user's own settings override those in crio.conf.
    args: ['--config-dir', join(context.runtimeConfig, 'crio.conf.d')],
    files: [
      privateFile('/etc/crio/crio.conf', crioConfig(context, delegated ? wrapper : runc)),
      privateFile('/etc/containers/storage.conf', storageConfig(context)),
      privateFile('/etc/containers/policy.json', '{ "default": [{ "type": "insecureAcceptAnything" }] }\n'),
      ...networkConfigurations(context),
      ...(delegated ? [{ path: wrapper, mode: 0o700, content: renderBoundedOomScore(runc) }] : []),
    ],
    env: {
      PATH: `${dirname(runc)}:${systemPath}`,
      // Files in the user's home configure their own engines, not the node's.
      HOME: '/var/lib/containers',
      ...proxyEnvironment(context.settings),
      // Then CRI-O asks for no cgroup, no oom_score_adj and no device rules; with cgroups of our own only the second fails.
      ...(delegated ? {} : { _CRIO_ROOTLESS: '1' }),
    },
    ready: { ...info, periodMs: 100, timeoutMs: 2_000, startupMs },
    live: { ...info, ...liveness },
  });
}

function storageConfig({ snapshotter, binary }: ServiceContext): string {
  const fuse = snapshotter === 'fuse-overlayfs';
  return `[storage]
driver = "${snapshotter === 'native' ? 'vfs' : 'overlay'}"
graphroot = "/var/lib/containers/storage"
runroot = "/run/containers/storage"
${fuse ? `\n[storage.options.overlay]\nmount_program = ${JSON.stringify(binary('fuse-overlayfs'))}\n` : ''}`;
}

function privateFile(path: string, content: string): GeneratedFile {
  return { path, content, mode: 0o600 };
}
