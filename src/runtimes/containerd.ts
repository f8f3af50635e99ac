import { dirname, join } from 'node:path';
import { containerdStore, importMissingCommand, type ContainerdStore } from '../images/containerd-store.js';
import type { Command } from '../images/image-store.js';
import type { GeneratedFile, ServiceDefinition } from '../supervisor/definition.js';
import { bundledImages } from './bundled-images.js';
import {
  daemon,
  etcFile,
  liveness,
  systemPath,
  type ServiceContext,
  startupMs,
} from '../services/context.js';
import { proxyEnvironment } from '../settings/proxy.js';
import { networkConfigurations, networkFolder } from '../services/pod-network.js';
import { renderRuntimeWrapper } from './runc-without-cgroups.js';
import type { Runtime } from './runtime.js';
import { fuseConfig, snapshotterServices } from './fuse-overlayfs.js';

export const containerdSocket = '/run/containerd/containerd.sock';

export const containerdRuntime: Runtime = {
  artifacts: ['containerd', 'runc'],
  artifactsOfSnapshotter: { 'fuse-overlayfs': ['fuse-overlayfs', 'fuse-overlayfs-snapshotter'] },
  namespaces: {
    remove: ['/run/containerd', '/var/lib/containerd'],
    binds: { '/var/lib/containerd': 'containerd' },
  },
  criSocket: containerdSocket,
  containers: 'containerd:/run/containerd/io.containerd.runtime.v2.task/k8s.io',
  readyForKubelet: { containerd: 'ready', 'bundled-images': 'completed' },
  services: (context) => [
    ...snapshotterServices(context),
    containerd(context),
    bundledImages(importBundled(context), { containerd: 'ready' }),
  ],
  images: (binary) => containerdStore(storeOf(binary)),
};

export function storeOf(binary: ServiceContext['binary']): ContainerdStore {
  return { ctr: binary('ctr'), socket: containerdSocket, namespace: 'k8s.io' };
}

/** Imports those of the bundled images that are missing. */
export function importBundled(context: ServiceContext): Command {
  return importMissingCommand(storeOf(context.binary), context.snapshotter, context.images);
}

/** `further` programs that containerd must find on its PATH, where it looks for shims, and shims for OCI runtimes. */
export function containerd(context: ServiceContext, further: readonly string[] = []): ServiceDefinition {
  const config = etcFile(context, 'containerd.toml');
  const mounting = context.snapshotter === 'fuse-overlayfs' ? ['fuse-overlayfs'] : [];
  const programs = ['containerd-shim-runc-v2', ...further, ...mounting].map((name) =>
    dirname(context.binary(name)),
  );
  return daemon('containerd', {
    command: context.binary('containerd'),
    args: ['--config', config],
    files: [
      { path: config, mode: 0o600, content: containerdConfig(context) },
      ...(context.settings.kubernetes ? criFiles(context) : []),
    ],
    env: { PATH: [...programs, systemPath].join(':'), ...proxyEnvironment(context.settings) },
    dependsOn: Object.fromEntries(snapshotterServices(context).map(({ name }) => [name, 'ready'])),
    ready: { type: 'unix', path: containerdSocket, periodMs: 100, timeoutMs: 2_000, startupMs },
    live: { type: 'http2', path: containerdSocket, ...liveness },
  });
}

const wrapperFile = (context: ServiceContext): string => etcFile(context, 'runc-without-cgroups');

/** What pods need in addition to the daemon's own configuration. */
function criFiles(context: ServiceContext): GeneratedFile[] {
  const network = networkConfigurations(context);
  if (context.cgroups === 'delegated') return network;
  const wrapper = { mode: 0o700, content: renderRuntimeWrapper(context.binary('runc')) };
  return [...network, { path: wrapperFile(context), ...wrapper }];
}

const text = JSON.stringify; // a JSON string is a TOML basic string

function containerdConfig(context: ServiceContext): string {
  return `version = 3
# The user's own settings override those here.
imports = [${text(join(context.runtimeConfig, 'containerd.d/*.toml'))}]
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.nri.v1.nri",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.zfs",
${context.settings.kubernetes ? '' : withoutCri}]

[grpc]
  address = ${text(containerdSocket)}
${context.snapshotter === 'fuse-overlayfs' ? fuseConfig : ''}${context.settings.kubernetes ? criConfig(context) : ''}`;
}

const withoutCri = `  "io.containerd.cri.v1.images",
  "io.containerd.cri.v1.runtime",
  "io.containerd.grpc.v1.cri",
`;

function criConfig(context: ServiceContext): string {
  const runtime = context.cgroups === 'none' ? wrapperFile(context) : context.binary('runc');
  return `
[plugins."io.containerd.cri.v1.images"]
  snapshotter = ${text(context.snapshotter)}
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = ${text(context.registries.certificates)}
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = ${text(context.pauseImage)}

[plugins."io.containerd.cri.v1.runtime"]
  # None of these is available without being root on the host.
  disable_apparmor = true
  restrict_oom_score_adj = true
  disable_hugetlb_controller = true
  enable_unprivileged_ports = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = [${text(dirname(context.binary('bridge')))}]
    conf_dir = ${text(networkFolder)}
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      BinaryName = ${text(runtime)}
      SystemdCgroup = false
`;
}
