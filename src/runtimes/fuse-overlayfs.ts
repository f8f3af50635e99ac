import { dirname } from 'node:path';
import type { ServiceDefinition } from '../supervisor/definition.js';
import { daemon, systemPath, type ServiceContext, startupMs } from '../services/context.js';

const socket = '/run/containerd-fuse-overlayfs.sock';

/** A snapshotter in a process of its own, by which containerd stacks layers where the kernel's overlayfs cannot. */
export function snapshotterServices({ snapshotter, binary }: ServiceContext): ServiceDefinition[] {
  if (snapshotter !== 'fuse-overlayfs') return [];
  return [
    daemon('fuse-overlayfs-snapshotter', {
      command: binary('containerd-fuse-overlayfs-grpc'),
      args: [socket, '/var/lib/containerd/io.containerd.snapshotter.v1.fuse-overlayfs'],
      env: { PATH: [dirname(binary('fuse-overlayfs')), systemPath].join(':') },
      ready: { type: 'unix', path: socket, periodMs: 100, timeoutMs: 2_000, startupMs },
    }),
  ];
}

/** For containerd.toml. Whoever mounts the snapshots finds the file system's program by PATH. */
export const fuseConfig = `
[proxy_plugins."fuse-overlayfs"]
  type = "snapshot"
  address = "${socket}"
`;
