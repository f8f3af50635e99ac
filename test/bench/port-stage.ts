import { execa } from 'execa';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { binaryOf } from '#src/plan/artifacts.js';
import { killTree } from '#src/lib/kill-tree.js';
import { createKubeClient, type KubeClient } from '#src/kube/client.js';
import { asOwner, installedArtifacts, type Invocation, type Owner } from './machine.js';

const cluster = 'bench-ports';
const image = 'localhost/bench-ports:1';
/** TEST-NET-2 (RFC 5737): an address of the host that is not loopback, since that is closed to the namespaces. */
const hostAddress = '198.51.100.78';
const loopback = '127.0.0.1';

const iperfPort = 5301;
const answerPort = 5302;
const hostPorts = { bareIperf: 25_301, bareAnswer: 25_302, oursIperf: 25_311, oursAnswer: 25_312 };
const nodePorts = { iperf: 30_911, answer: 30_912, fresh: 30_920 };

/** Answers every connection with a byte and closes it. */
const answerScript = `require('net').createServer((s) => s.on('error', () => {}).end('x')).listen(${answerPort}, '0.0.0.0')`;
const servers = `iperf3 -s -p ${iperfPort} >/dev/null & exec node -e "${answerScript}"`;
const seconds = 3;

/**
 * The kernel shares the processors out among sessions (sched_autogroup, sched(7)), and here they are what is scarce: so each
 * process that takes part has one of its own, as pods have it anyway.
 */
const ownSession = { detached: true };

/** How iperf3's client is run, and to where. */
export type Route = { invoke: (words: string[]) => Invocation; address: string; port: number };

export type Stage = {
  bare: Route;
  ours: Route;
  nodePort: Route;
  bareOut: Route;
  podOut: Route;
  /** Ports on loopback that answer every connection with a byte. */
  rates: { bare: number; ours: number; nodePort: number };
  kube: KubeClient;
  cleanUp: () => Promise<void>;
};

/** A cluster with a pod, a RootlessKit of the same flags beside it, and a server on the host. */
export async function prepareStage(owner: Owner, apiPort: number): Promise<Stage> {
  const u7s = (...words: string[]): Promise<string> =>
    asOwner(owner, [...owner.u7s, '--cluster', cluster, ...words]);
  const scratch = await mkdtemp(join(tmpdir(), 'u7s-bench-ports-'));
  await chmod(scratch, 0o755);
  const state = (await asOwner(owner, ['mktemp', '-d'])).trim();
  const background: { stop: () => Promise<void>; ended: Promise<unknown> }[] = [];
  const inBackground = (words: readonly string[]): void => {
    const { command, args, env } = owner.invoke(words);
    const child = execa(command, args, {
      env,
      extendEnv: false,
      stdio: 'ignore',
      reject: false,
      ...ownSession,
    });
    background.push({ stop: () => killTree(child.pid), ended: child });
  };
  const cleanUp = async (): Promise<void> => {
    await Promise.all(background.map(({ stop }) => stop()));
    await u7s('cleanup').catch(() => undefined);
    await Promise.all(background.map(({ ended }) => ended));
    await execa('ip', ['address', 'delete', `${hostAddress}/32`, 'dev', 'lo'], { reject: false });
    await asOwner(owner, ['rm', '-rf', state]);
    await rm(scratch, { recursive: true, force: true });
  };
  try {
    await execa('ip', ['address', 'replace', `${hostAddress}/32`, 'dev', 'lo']);
    inBackground(['iperf3', '-s', '-B', hostAddress, '-p', String(iperfPort)]);
    const bareState = join(state, 'rootlesskit');
    inBackground(await bareRootlessKit(owner, bareState));

    await u7s('cleanup');
    await u7s('up', 'default-containerd', '--api-port', String(apiPort), '-d');
    await fillRootfs(scratch);
    await u7s('image', 'build-from', scratch, '--name', image, '--cmd', '/bin/sh', '--load');
    const kube = await adminOf(owner, apiPort);
    await makePod(kube);
    inBackground([...owner.u7s, '--cluster', cluster, 'shell', '--', 'sh', '-c', servers]);
    const barePid = (await readFile(join(bareState, 'child_pid'), 'utf8')).trim();
    const inBare = ['nsenter', '-U', '--preserve-credentials', '-n', '-t', barePid, '--'];
    inBackground([...inBare, 'sh', '-c', servers]);
    await u7s('ports', 'add', `${loopback}:${hostPorts.oursIperf}:${iperfPort}/tcp`);
    await u7s('ports', 'add', `${loopback}:${hostPorts.oursAnswer}:${answerPort}/tcp`);

    const rates = { bare: hostPorts.bareAnswer, ours: hostPorts.oursAnswer, nodePort: nodePorts.answer };
    for (const port of Object.values(rates)) while (!(await answers(port))) await delay(50);
    const fromHost = (port: number): Route => ({
      invoke: ([command = '', ...args]) => ({ command, args, env: process.env }),
      address: loopback,
      port,
    });
    const toHost = (...before: string[]): Route => ({
      invoke: (words) => owner.invoke([...before, ...words]),
      address: hostAddress,
      port: iperfPort,
    });
    return {
      bare: fromHost(hostPorts.bareIperf),
      ours: fromHost(hostPorts.oursIperf),
      nodePort: fromHost(nodePorts.iperf),
      bareOut: toHost(...inBare),
      podOut: toHost(...owner.u7s, '--cluster', cluster, 'kubectl', 'exec', 'bench', '--'),
      rates,
      kube,
      cleanUp,
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** Mbit/s that reach the receiver. */
export async function throughput({ invoke, address, port }: Route): Promise<number> {
  const words = ['iperf3', '-c', address, '-p', String(port), '-t', String(seconds), '-J'];
  const { command, args, env } = invoke(words);
  const { stdout } = await execa(command, args, { env, extendEnv: false, ...ownSession });
  const { end } = JSON.parse(stdout) as { end: { sum_received: { bits_per_second: number } } };
  return end.sum_received.bits_per_second / 1e6;
}

/** Connections a second that are answered and closed, sixteen at a time. */
export async function connectionRate(port: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let count = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < end) if (await answers(port)) count += 1;
  };
  await Promise.all(Array.from({ length: 16 }, one));
  return count / seconds;
}

/** Milliseconds from the request that makes a NodePort Service, its pod being up, until the port answers on the host. */
export async function serviceToAnswer({ kube }: Stage): Promise<number> {
  const start = performance.now();
  await makeService(kube, 'fresh', [{ port: answerPort, nodePort: nodePorts.fresh }]);
  while (!(await answers(nodePorts.fresh))) await delay(2);
  const taken = performance.now() - start;
  await kube.request('DELETE', '/api/v1/namespaces/default/services/fresh');
  while (await answers(nodePorts.fresh)) await delay(20);
  return taken;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, loopback);
    let answered = false;
    socket.on('data', () => (answered = true));
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(answered));
  });
}

/** What we start it with, without anything of ours inside. */
async function bareRootlessKit(owner: Owner, stateDir: string): Promise<string[]> {
  const binary = binaryOf(await installedArtifacts(owner));
  return [
    binary('rootlesskit'),
    `--state-dir=${stateDir}`,
    '--net=slirp4netns',
    `--slirp4netns-binary=${binary('slirp4netns')}`,
    '--mtu=65520',
    '--disable-host-loopback',
    '--slirp4netns-sandbox=auto',
    '--slirp4netns-seccomp=auto',
    '--port-driver=builtin',
    '--copy-up=/etc',
    '--pidns',
    `--publish=${loopback}:${hostPorts.bareIperf}:${iperfPort}/tcp`,
    `--publish=${loopback}:${hostPorts.bareAnswer}:${answerPort}/tcp`,
    ...['sleep', 'infinity'],
  ];
}

/** busybox, iperf3 and node with the libraries they are linked with. */
async function fillRootfs(root: string): Promise<void> {
  for (const folder of ['bin', 'tmp', 'etc']) await mkdir(join(root, folder), { mode: 0o755 });
  const put = async (from: string, to: string): Promise<void> => {
    await mkdir(join(root, dirname(to)), { recursive: true, mode: 0o755 });
    await copyFile(from, join(root, to));
    await chmod(join(root, to), 0o755);
  };
  for (const program of ['busybox', 'iperf3', process.execPath]) {
    const { stdout: path } = await execa('sh', ['-c', 'command -v "$1"', 'sh', program]);
    const { stdout: linked } = await execa('ldd', [path], { reject: false });
    await put(path, `bin/${basename(path)}`);
    for (const [library] of linked.matchAll(/\/\S+\.so\S*/g)) await put(library, library);
  }
  await put(join(root, 'bin/busybox'), 'bin/sh');
}

async function adminOf(owner: Owner, apiPort: number): Promise<KubeClient> {
  const { pki } = owner.paths(cluster);
  const [ca = '', cert = '', key = ''] = await Promise.all(
    ['ca.crt', 'admin.crt', 'admin.key'].map((file) => readFile(join(pki, file), 'utf8')),
  );
  return createKubeClient({ server: `https://${loopback}:${apiPort}`, ca, cert, key });
}

async function makePod(kube: KubeClient): Promise<void> {
  await kube.request('POST', '/api/v1/namespaces/default/pods', {
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'bench', labels: { app: 'bench' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: 'main', image, imagePullPolicy: 'Never', command: ['/bin/sh', '-c', servers] }],
      },
    },
  });
  await makeService(kube, 'bench', [
    { port: iperfPort, nodePort: nodePorts.iperf },
    { port: answerPort, nodePort: nodePorts.answer },
  ]);
}

async function makeService(
  kube: KubeClient,
  name: string,
  ports: { port: number; nodePort: number }[],
): Promise<void> {
  await kube.request('POST', '/api/v1/namespaces/default/services', {
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: {
        type: 'NodePort',
        selector: { app: 'bench' },
        ports: ports.map((port) => ({ name: `p${port.port}`, ...port })),
      },
    },
  });
}
