import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { account, stillRunning } from '../account.js';
import { busyboxImage, pod, serve } from '../pods.js';
import { clusterProcesses, status, until } from '../running-cluster.js';
import { apply, kubectl, ok, sh } from '../shell.js';
import { readAll, type Check } from './kubernetes.js';

const docker = (...args: string[]): Promise<string> => ok('./dockercli.sh', args);
const hostPort = 18_480;

/** What dockerd does, with Kubernetes beside it or not. `u7s image load` gave it its only image. */
export const dockerChecks: Readonly<Record<string, Check>> = {
  'docker run': async (t) => {
    t.is(
      (await docker('run', '--rm', '--init', busyboxImage, 'echo', 'in a container')).trim(),
      'in a container',
    );
    t.is((await sh('./dockercli.sh', ['run', '--rm', busyboxImage, 'sh', '-c', 'exit 7'])).exitCode, 7);
    const { dockerSocket } = await status();
    t.is((await docker('-H', `unix://${dockerSocket}`, 'info', '-f', '{{.Driver}}')).trim(), 'overlayfs');
  },

  // As BuildKit calls it, which a docker client brings as a plugin.
  'runc by itself': async (t) => {
    const words = ['shell', '--', 'env', 'XDG_RUNTIME_DIR=/run', 'runc', 'list'];
    t.regex(await ok('bin/u7s.js', words), /^ID +PID/);
  },

  'docker networks': async (t) => {
    await docker('network', 'create', 'further');
    const subnets = await docker(
      ...['network', 'inspect', 'bridge', 'further', '-f', '{{range .IPAM.Config}}{{.Subnet}}{{end}}'],
    );
    t.deepEqual(subnets.trim().split('\n'), ['10.89.0.0/24', '10.89.1.0/24']);
    const name = ['--name', 'named', '--network', 'further', '-d'];
    await docker('run', ...name, busyboxImage, 'sh', '-c', serve(8080, 'by name'));
    await until(async () => {
      const ask = ['run', '--rm', '--network', 'further', busyboxImage, 'nc', '-w', '2', 'named', '8080'];
      return (await sh('./dockercli.sh', ask)).stdout.trim() === 'by name';
    });
    await docker('rm', '-f', 'named');
    await docker('network', 'rm', 'further');
  },

  'docker run -p': async (t) => {
    const options = ['-d', '--restart', 'always', '--name', 'published', '-p', `${hostPort}:8080`];
    await docker('run', ...options, busyboxImage, 'sh', '-c', serve(8080, 'published'));
    await until(served);
    t.regex(await ok('bin/u7s.js', ['ports']), new RegExp(`127\\.0\\.0\\.1 +${hostPort} .*docker`));
  },

  'ports after a crash': async (t) => {
    const { services } = await status();
    const dockerd = services.find(({ name }) => name === 'dockerd');
    process.kill(dockerd?.hostPid ?? 0, 'SIGKILL');
    await until(async () => {
      const now = (await status()).services.find(({ name }) => name === 'dockerd');
      return now?.phase === 'ready' && now.restarts > (dockerd?.restarts ?? 0);
    }, 60_000);
    // Docker's own restart policy: the container comes back, which it could not if its port were still taken.
    await until(served, 60_000);
    await docker('rm', '-f', 'published');
    t.false((await ok('bin/u7s.js', ['ports'])).includes(String(hostPort)));
  },

  'docker context': async (t) => {
    const { home } = await account();
    const found = await sh('grep', [
      '-rl',
      (await status()).dockerSocket ?? '',
      join(home, '.docker/contexts'),
    ]);
    t.is(found.exitCode, 0);
  },
};

/** What dockerd and the kubelet are to each other. */
export const sharedChecks: Readonly<Record<string, Check>> = {
  'an image of docker runs': async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'u7s-build-'));
    t.teardown(() => rm(folder, { recursive: true }));
    await ok('chmod', ['0755', folder]);
    await writeFile(join(folder, 'Dockerfile'), `FROM ${busyboxImage}\nRUN echo by docker > /made\n`);
    await docker('build', '-q', '-t', 'localhost/made:1', folder);
    await apply(pod('made', 'cat /made; sleep 1000000', { image: 'localhost/made:1' }));
    await kubectl('wait', 'pod/made', '--for=condition=Ready', '--timeout=60s');
    t.is((await kubectl('logs', 'made')).trim(), 'by docker');
    await kubectl('delete', 'pod', 'made', '--wait=false');
  },

  "docker.sock in a pod is the cluster's": async (t) => {
    const hostPath = { path: '/var/run/docker.sock', type: 'Socket' };
    const volumeMounts = [{ name: 'socket', mountPath: '/var/run/docker.sock' }];
    const command = ['sleep', '1000000'];
    const container = { name: 'main', image: busyboxImage, imagePullPolicy: 'Never', command, volumeMounts };
    const spec = {
      terminationGracePeriodSeconds: 1,
      volumes: [{ name: 'socket', hostPath }],
      containers: [container],
    };
    await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'client' }, spec });
    await kubectl('wait', 'pod/client', '--for=condition=Ready', '--timeout=60s');
    const shown = await kubectl('exec', 'client', '--', 'ls', '-l', '/var/run/docker.sock');
    t.regex(shown, /^s/);
    await kubectl('delete', 'pod', 'client', '--wait=false');
  },

  'docker ps has no pods': async (t) => {
    t.is((await docker('ps', '-aq')).trim(), '');
  },

  'pods without dockerd': async (t) => {
    const dockerd = (await status()).services.find(({ name }) => name === 'dockerd');
    process.kill(dockerd?.hostPid ?? 0, 'SIGSTOP');
    try {
      await apply(pod('meanwhile', 'echo went on; sleep 1000000'));
      await kubectl('wait', 'pod/meanwhile', '--for=condition=Ready', '--timeout=60s');
      t.is((await kubectl('exec', 'meanwhile', '--', 'echo', 'exec too')).trim(), 'exec too');
    } finally {
      process.kill(dockerd?.hostPid ?? 0, 'SIGCONT');
    }
    await kubectl('delete', 'pod', 'meanwhile', '--wait=false');
  },

  'images after a prune': async (t) => {
    const bundled = async (): Promise<boolean> => {
      const images = await ok('bin/u7s.js', ['image', 'ls']);
      return ['localhost/pause', 'localhost/coredns'].every((name) => images.includes(name));
    };
    await docker('system', 'prune', '--all', '--force');
    await until(bundled);
    t.false((await ok('bin/u7s.js', ['image', 'ls'])).includes('localhost/made'), 'it did prune');
  },
};

/** Refusals that need no cluster. */
export async function anotherEngine(): Promise<{ socket: string; end: () => Promise<void> }> {
  const { uid, name } = await account();
  const folder = `/run/user/${uid}/usernetes-${process.env['U7S_CLUSTER']}`;
  await ok('install', ['-d', '-m', '0700', '-o', name, '-g', name, folder]);
  const socket = join(folder, 'docker.sock');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  await ok('chown', [name, socket]);
  return {
    socket,
    end: async () => {
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function served(): Promise<boolean> {
  return (await readAll(hostPort).catch(() => '')) === 'published\n';
}

/** Stopping in order is quick; a dockerd that is killed would leave its containers' state behind. */
export const orderlyStop: Check = async (t) => {
  await docker(
    'run',
    '-d',
    '--name',
    'stopped',
    busyboxImage,
    'sh',
    '-c',
    'trap "exit 0" TERM; while :; do sleep 0.1; done',
  );
  const processes = await clusterProcesses();
  await ok('bin/u7s.js', ['down']);
  t.deepEqual(await stillRunning(processes), []);
  const { home } = await account();
  const log = join(home, '.local/state/usernetes', process.env['U7S_CLUSTER'] ?? '', 'logs/dockerd.log');
  t.regex(await readFile(log, 'utf8'), /Daemon shutdown complete/);
  await ok('./run.sh', ['-d']);
  t.is((await docker('inspect', '-f', '{{.State.ExitCode}}', 'stopped')).trim(), '0');
  await docker('rm', 'stopped');
};

/** Whoever ends it by force while it stops: nothing is left where other programs look for docker. */
export const cutOffStop: Check = async (t) => {
  const { dockerSocket = '', services } = await status();
  const rootlesskit = (await clusterProcesses()).find(({ command }) => command.endsWith('/rootlesskit'));
  // So that it does not stop while we look.
  process.kill(services.find(({ name }) => name === 'dockerd')?.hostPid ?? 0, 'SIGSTOP');
  const down = ok('bin/u7s.js', ['down']);
  await until(async () => (await status()).phase === 'stopping');
  process.kill(rootlesskit?.pid ?? 0, 'SIGKILL');
  await down;
  t.false(existsSync(dockerSocket));
  await ok('./run.sh', ['-d']);
  t.true(existsSync(dockerSocket));
};
