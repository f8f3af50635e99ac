import { mkdtemp, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run, runOk } from '#src/lib/exec.js';
import { binariesOf } from '../fixtures/images/artifacts.js';
import { start, type Result, type Running } from '../ordinary-user.js';
import { until } from './running-cluster.js';

/**
 * A Docker engine of root's own, in a network, mount and pid namespace made for it: its bridges, rules and mounts end with
 * it, and the host's stay as they are.
 */
export type Engine = {
  /** `docker …`, with the client of the same release. */
  docker: (...args: string[]) => Promise<Result>;
  /** The same, but throws unless it succeeds. Returns its stdout. */
  ok: (...args: string[]) => Promise<string>;
  /** Follows the command. */
  follow: (...args: string[]) => Running;
  /** What a client of another make must have in its environment. */
  env: Record<string, string>;
  /** What stands before a command so that it sees the engine's host's network. */
  inside: readonly string[];
  stop: () => Promise<void>;
};

const name = 'u7s-test-engine';
/** Of the engine's host, beside 127.0.0.1. */
export const hostAddress = '10.199.1.10';

export async function startEngine(): Promise<Engine> {
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `${name}-`));
  const [docker, containerd, runc, init] = await Promise.all([
    binariesOf('docker'),
    binariesOf('containerd'),
    binariesOf('runc'),
    binariesOf('docker-init'),
  ]);
  const programs = { ...docker, ...containerd, ...runc, ...init };
  const path = [...new Set(Object.values(programs).map(dirname)), process.env.PATH].join(':');
  await runOk('ip', ['netns', 'add', name]);
  await runOk('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  await runOk('ip', ['-n', name, 'address', 'add', `${hostAddress}/32`, 'dev', 'lo']);
  const config = join(folder, 'daemon.json');
  await writeFile(
    config,
    JSON.stringify({
      'data-root': join(folder, 'data'),
      'exec-root': join(folder, 'exec'),
      pidfile: join(folder, 'pid'),
      hosts: [`unix://${join(folder, 'sock')}`],
      'cgroup-parent': `/${name}`,
      features: { 'containerd-snapshotter': false },
      'storage-driver': 'overlay2',
      'userland-proxy-path': programs['docker-proxy'],
    }),
  );
  const inside = ['nsenter', `--net=/run/netns/${name}`];
  const [command = '', ...args] = [
    // It ends with the test, however that ends.
    ...['setpriv', '--pdeathsig=KILL', '--', ...inside],
    ...['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
    ...[programs['docker-init'] ?? '', '--', programs['dockerd'] ?? '', '--config-file', config],
  ];
  // Compose v1 speaks a version of the API that this release only takes when told to.
  const daemon = start(command, args, { PATH: path, DOCKER_MIN_API_VERSION: '1.24' });
  await daemon.said(/API listen on/);

  const env = {
    PATH: path,
    DOCKER_HOST: `unix://${join(folder, 'sock')}`,
    DOCKER_CONFIG: join(folder, 'client'),
    DOCKER_BUILDKIT: '0',
  };
  const follow = (...words: string[]): Running => start(programs['docker'] ?? '', words, env);
  const call = (...words: string[]): Promise<Result> => follow(...words).ended;
  const ok = async (...words: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await call(...words);
    if (exitCode !== 0)
      throw new Error(`docker ${words.join(' ')} exited with ${exitCode}\n${stderr}\n${stdout}`);
    return stdout;
  };
  const stop = async (): Promise<void> => {
    // What is first in the pid namespace takes all others with it.
    daemon.kill('SIGKILL');
    await daemon.ended;
    await removeLeftovers();
    await rm(folder, { recursive: true, force: true });
  };
  return { docker: call, ok, follow, env, inside, stop };
}

async function removeLeftovers(): Promise<void> {
  await run('ip', ['netns', 'del', name]);
  for (const hierarchy of await readdir('/sys/fs/cgroup'))
    await removeCgroup(join('/sys/fs/cgroup', hierarchy, name));
  await removeCgroup(join('/sys/fs/cgroup', name));
}

/** Those of ended containers; the kernel needs a moment until the last of them is empty. */
async function removeCgroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeCgroup(join(path, entry.name));
  await until(() =>
    rmdir(path).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'EBUSY',
    ),
  );
}
