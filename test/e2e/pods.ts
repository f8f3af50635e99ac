import { chmod, copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ok } from './shell.js';

export const busyboxImage = 'localhost/busybox:1';

const applets = [
  'sh',
  'cat',
  'echo',
  'hostname',
  'ls',
  'nc',
  'nslookup',
  'sleep',
  'tar',
  'id',
  'ping',
  'ip',
  'true',
  'wc',
];

/** Makes an image of Debian's static busybox and loads it into the running cluster; no registry is asked. */
export async function loadBusybox(): Promise<void> {
  const rootfs = await mkdtemp(join(tmpdir(), 'u7s-busybox-'));
  try {
    await chmod(rootfs, 0o755);
    for (const folder of ['bin', 'etc', 'tmp']) await mkdir(join(rootfs, folder), { mode: 0o755 });
    const busybox = (await ok('sh', ['-c', 'command -v busybox'])).trim();
    await copyFile(busybox, join(rootfs, 'bin/busybox'));
    await chmod(join(rootfs, 'bin/busybox'), 0o755);
    for (const applet of applets) await symlink('busybox', join(rootfs, 'bin', applet));
    await ok('bin/u7s.js', [
      'image',
      'build-from',
      rootfs,
      '--name',
      busyboxImage,
      '--cmd',
      '/bin/sh',
      '--load',
    ]);
  } finally {
    await rm(rootfs, { recursive: true });
  }
}

type PodOptions = {
  labels?: Record<string, string>;
  port?: number;
  image?: string;
  /** Where a volume of the pod's own is mounted. */
  volume?: string;
};

export function pod(name: string, script: string, options: PodOptions = {}): object {
  const { labels, volume } = options;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name, ...labels } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [container(script, options)],
      ...(volume === undefined ? {} : { volumes: [{ name: 'volume', emptyDir: {} }] }),
    },
  };
}

export function container(
  script: string,
  { port, image = busyboxImage, volume }: Pick<PodOptions, 'port' | 'image' | 'volume'> = {},
): object {
  return {
    name: 'main',
    image,
    imagePullPolicy: 'Never',
    command: ['/bin/sh', '-c', script],
    ...(port === undefined ? {} : { ports: [{ containerPort: port }] }),
    ...(volume === undefined ? {} : { volumeMounts: [{ name: 'volume', mountPath: volume }] }),
  };
}

/** A TCP server that answers every connection with `text`. */
export const serve = (port: number, text: string): string =>
  `while true; do echo ${text} | nc -l -p ${port}; done`;
