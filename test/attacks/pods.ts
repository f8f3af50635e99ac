import { chmod, copyFile, mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runOk } from '#src/lib/exec.js';
import type { TestHost } from '../e2e/hosts.js';
import type { Ground } from './ground.js';

const attackImage = 'localhost/attacks:1';

/** Pods that somebody who may create pods in a namespace of their own gets past admission. */
const kinds = {
  /** Nothing asked for. */
  plain: {},
  /** Root in the container, with the capabilities that containerd gives by default. */
  hostNetwork: { pod: { hostNetwork: true } },
} satisfies Record<string, { pod?: object; container?: object }>;

export type PodKind = keyof typeof kinds;

const namespace = 'attacks';

/** Makes an image with Node.js, busybox and the agent, and loads it into the control plane's node. */
export async function loadAttackImage(host: TestHost, agent: string): Promise<void> {
  const rootfs = await mkdtemp(join(tmpdir(), 'u7s-attack-image-'));
  try {
    await chmod(rootfs, 0o755);
    for (const folder of ['bin', 'etc', 'tmp', 'proc', 'mnt'])
      await mkdir(join(rootfs, folder), { mode: 0o755 });
    const busybox = (await runOk('sh', ['-c', 'command -v busybox'])).trim();
    await put(busybox, join(rootfs, 'bin/busybox'));
    for (const applet of ['sh', 'cat', 'ls', 'mount', 'id', 'mknod', 'nsenter', 'unshare', 'chroot', 'ip'])
      await symlink('busybox', join(rootfs, 'bin', applet));
    const node = await realpath(process.execPath);
    await put(node, join(rootfs, 'bin/node'));
    const libraries = [...(await runOk('ldd', [node])).matchAll(/(?:=> |^\s*)(\/\S+) \(/gm)];
    for (const [, library = ''] of libraries) await put(library, join(rootfs, library));
    await put(agent, join(rootfs, 'agent.mjs'));
    await host.ok('image', 'build-from', rootfs, '--name', attackImage, '--cmd', '/bin/sh', '--load');
  } finally {
    await rm(rootfs, { recursive: true });
  }
}

async function put(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  await copyFile(from, to);
  await chmod(to, 0o755);
}

/** Runs a pod of this kind and waits until it does. */
export async function podOfKind(ground: Ground, kind: PodKind): Promise<void> {
  const { admin, control } = ground;
  await admin('POST', '/api/v1/namespaces', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
  });
  const { pod = {}, container = {} } = kinds[kind] as { pod?: object; container?: object };
  const made = await admin('POST', `/api/v1/namespaces/${namespace}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: nameOf(kind) },
    spec: {
      nodeName: control.name,
      terminationGracePeriodSeconds: 0,
      ...pod,
      containers: [
        {
          name: 'main',
          image: attackImage,
          imagePullPolicy: 'Never',
          command: ['/bin/busybox', 'sleep', '3600'],
          ...container,
        },
      ],
    },
  });
  if ('error' in made || made.status !== 201) throw new Error(`no pod ${kind}: ${JSON.stringify(made)}`);
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await admin('GET', `/api/v1/namespaces/${namespace}/pods/${nameOf(kind)}`);
    if ('body' in found && /"phase":"Running"/.test(found.body)) return;
    if (Date.now() > end) throw new Error(`pod ${kind} does not run: ${JSON.stringify(found)}`);
    await delay(200);
  }
}

/** The command line and environment by which root starts the agent in a pod. */
export function agentInPod(
  { control }: Ground,
  kind: PodKind,
): [string[], Record<string, string | undefined>] {
  const exec = ['kubectl', 'exec', '-i', '-n', namespace, nameOf(kind), '--', '/bin/node', '/agent.mjs'];
  return [
    [...control.inside, process.execPath, 'bin/u7s.js', ...exec],
    { PATH: process.env.PATH, U7S_USER: control.account.name },
  ];
}

const nameOf = (kind: PodKind): string => `pod-${kind.toLowerCase()}`;
