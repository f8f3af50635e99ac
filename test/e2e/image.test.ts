import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { PairReport } from '#src/instance/network-report.js';
import { runOk } from '#src/lib/exec.js';
import { binariesOf } from '../fixtures/images/artifacts.js';
import { needsRoot, start } from '../ordinary-user.js';
import { hostAddress, startEngine, type Engine } from './engine.js';
import { buildNodeImage } from './node-image.js';
import { until } from './running-cluster.js';
import { ok } from './shell.js';

/** The image, in a Docker engine of the test's own. The tests build on one another, in this order. */
const serial = needsRoot === undefined ? test.serial : test.serial.skip;
const node = 'usernetes-node';
const crio = process.env['U7S_TEST_CRIO'] !== undefined;

let engine: Engine | undefined;
let scratch = '';

test.before('an engine', async (t) => {
  if (needsRoot !== undefined) return;
  t.timeout(80 * 60_000, 'the binaries may have to be built');
  await ok('bin/u7s.js', ['artifacts', 'fetch', '--preset', 'default-docker']);
  await ok('bin/u7s.js', ['artifacts', 'fetch', 'flannel', 'netcheck']);
  scratch = await mkdtemp(join(tmpdir(), 'u7s-image-'));
  engine = await startEngine();
});

test.after.always('the engine ends with all that it ran', async () => {
  await engine?.stop();
  await rm(scratch, { recursive: true, force: true });
});

const there = (): Engine => {
  if (engine === undefined) throw new Error('there is no engine');
  return engine;
};
const docker = (...args: string[]): Promise<string> => there().ok(...args);
const u7s = (container: string, ...args: string[]): Promise<string> =>
  docker('exec', container, 'u7s', ...args);

serial('the image is built on any base, and says whether it has CRI-O', async (t) => {
  const said = await buildNodeImage(there(), scratch, new AbortController().signal);
  t.regex(
    said,
    crio ? /this image contains CRI-O/ : /CRI-O is not available, so docker-compose.yml leaves out/,
  );
  const { User, Volumes } = JSON.parse(
    await docker('image', 'inspect', '--format', '{{json .Config}}', 'usernetes'),
  ) as { User: string; Volumes: object };
  t.is(User, 'usernetes');
  t.deepEqual(Object.keys(Volumes), ['/home/usernetes/.local/state']);
});

serial('the documented line starts a cluster, without any network to the outside', async (t) => {
  const line = `-d --name ${node} -p 127.0.0.1:6443:6443 -e U7S_ROOTLESSKIT_PORTS=0.0.0.0:6443:6443/tcp --privileged`;
  await docker('run', ...line.split(' '), 'usernetes', 'default-containerd');
  await ready(node);
  t.is((await docker('exec', node, 'id', '-u')).trim(), '1000');
});

serial('its kubeconfig comes out, and leads in by the published port', async (t) => {
  t.is(await nodeAddress('https://127.0.0.1:6443', await u7s(node, 'kubeconfig')), '10.0.2.100');
});

serial('a pod runs in it', async (t) => {
  const image = await u7s(
    node,
    ...['kubectl', 'get', 'deployment', '-n', 'kube-system', 'coredns'],
    ...['-o', 'jsonpath={.spec.template.spec.containers[0].image}'],
  );
  await u7s(node, 'kubectl', 'run', 'answer', `--image=${image}`, '--restart=Never', '--', '-version');
  await u7s(
    node,
    'kubectl',
    'wait',
    'pod/answer',
    '--for=jsonpath={.status.phase}=Succeeded',
    '--timeout=60s',
  );
  t.regex(await u7s(node, 'kubectl', 'logs', 'answer'), /CoreDNS-/);
});

serial('it is found healthy', async (t) => {
  await until(
    async () => (await docker('inspect', '-f', '{{.State.Health.Status}}', node)).trim() === 'healthy',
    60_000,
  );
  t.pass();
});

serial('SIGTERM stops it in order; a restart keeps the cluster', async (t) => {
  const uid = () => u7s(node, 'kubectl', 'get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}');
  const before = await uid();
  await docker('stop', '-t', '60', node);
  t.is((await docker('inspect', '-f', '{{.State.ExitCode}}', node)).trim(), '143');
  t.regex((await there().docker('logs', '--tail', '5', node)).stderr, /stop/);
  await docker('start', node);
  await ready(node, 2);
  t.is(await uid(), before);
  await docker('rm', '-f', '-v', node);
});

serial('an image derived from it is one, too; a mounted folder gets the kubeconfig', async (t) => {
  const folder = join(scratch, 'derived');
  await mkdir(folder);
  await writeFile(join(folder, 'Dockerfile'), 'FROM usernetes\nRUN echo mine >mine\n');
  await docker('build', '-t', 'derived', folder);
  const out = join(scratch, 'out');
  await mkdir(out);
  await ok('chown', ['1000:1000', out]);
  await docker(
    ...['run', '-d', '--name', 'derived', '--privileged', '-v', `${out}:/out`, 'derived'],
    ...['default-docker', '--kubeconfig', '/out/kubeconfig'],
  );
  await ready('derived');
  t.is(await docker('exec', 'derived', 'cat', 'mine'), 'mine\n');
  t.regex(await docker('exec', 'derived', 'u7s', 'docker', 'info'), /Storage Driver: overlayfs/);
  t.regex(await ok('cat', [join(out, 'kubeconfig')]), /server: https:\/\/127\.0\.0\.1:6443/);
  await docker('rm', '-f', '-v', 'derived');
});

serial('with CONTAINER_ENGINE the verbs of make do the same in a container', async (t) => {
  // The image is there: what a build of the checkout takes, this machine may not reach.
  const program = join(scratch, 'engine');
  await writeFile(program, '#!/bin/sh\ncase $1 in build) ;; *) exec docker "$@" ;; esac\n', { mode: 0o755 });
  const environment = { CONTAINER_ENGINE: program, NODE_NAME: 'gen2', HOST_IP: hostAddress };
  const make = async (...verbs: string[]): Promise<void> => {
    const words = ['-C', process.cwd(), ...verbs];
    const { exitCode, stderr } = await start('make', words, { ...there().env, ...environment }).ended;
    t.is(exitCode, 0, `make ${verbs.join(' ')}: ${stderr}`);
  };
  await make('up', 'kubeadm-init', 'install-flannel', 'sync-external-ip');
  t.is(await nodeAddress(`https://${hostAddress}:6443`, await u7s('gen2', 'kubeconfig')), hostAddress);
  await make('down', 'up', 'kubeadm-init');
  t.is(await u7s('gen2', 'kubectl', 'get', 'nodes', '-o', 'name'), 'node/gen2\n');
  await make('kubeadm-reset', 'down-v');
  t.is(await docker('volume', 'ls', '-q', '--filter', 'name=gen2'), '');
});

const members = [
  ['control-plane', 'containerd'],
  ['node-containerd', 'containerd'],
  ...(crio ? [['node-crio', 'cri-o']] : []),
  ['node-docker', 'containerd'],
] as const;

serial('compose makes a cluster of all runtimes, whose pods reach each other', async (t) => {
  await compose('up', '-d', '--no-build');
  for (const [name] of members) await ready(await container(name));
  await nodesReady();
  const runtimes = await control(
    ...['kubectl', 'get', 'nodes', '-o'],
    'jsonpath={range .items[*]}{.metadata.name} {.status.nodeInfo.containerRuntimeVersion}{"\\n"}{end}',
  );
  for (const [name, runtime] of members) t.regex(runtimes, new RegExp(`^${name} ${runtime}://`, 'm'));
  await docker('exec', await container('node-docker'), 'u7s', 'docker', 'info');
  t.deepEqual(await pairsThatFail(), []);
});

serial('no node has a key of the authority, or what admits others', async (t) => {
  const files = await docker(
    'exec',
    await container('node-docker'),
    'ls',
    '.local/state/usernetes/default/pki',
  );
  t.notRegex(files, /^(ca|admin|sa)\.key$/m);
  t.regex(
    await docker('exec', await container('control-plane'), 'stat', '-c', '%a %u', 'join/command'),
    /^600 1000/,
  );
});

serial('a node whose container is restarted comes back; one that has left joins anew', async (t) => {
  const [byDocker, byContainerd] = [await container('node-docker'), await container('node-containerd')];
  await docker('restart', '-t', '60', byDocker);
  await ready(byDocker, 2);
  // Its container ends with the node, and so perhaps the command, before it has told of it; then the engine starts it again.
  await there().docker('exec', byContainerd, 'u7s', 'leave');
  const state = '{{.RestartCount}} {{.State.Status}}';
  await until(async () => (await docker('inspect', '-f', state, byContainerd)).trim() === '1 running');
  await ready(byContainerd, 2);
  await nodesReady();
  t.deepEqual(await pairsThatFail(), []);
});

serial('compose takes it all down again', async (t) => {
  await compose('down', '-v');
  t.is(await docker('ps', '-aq'), '');
  t.is(await docker('volume', 'ls', '-q'), '');
});

/** Asks the API server, from the engine's host, for the address of its only node. */
async function nodeAddress(server: string, kubeconfig: string): Promise<string> {
  const file = join(scratch, 'kubeconfig');
  await writeFile(file, kubeconfig);
  const { kubectl = '' } = await binariesOf('kubernetes');
  const [command = '', ...args] = [...there().inside, kubectl, '--kubeconfig', file, '--server', server];
  return runOk(command, [...args, 'get', 'nodes', '-o', 'jsonpath={.items[*].status.addresses[0].address}']);
}

/** Waits until the container has said `times` times that its cluster is ready; throws when it ends before. */
async function ready(container: string, times = 1): Promise<void> {
  const logs = there().follow('logs', '-f', container);
  await logs.said(new RegExp(`(?:[^]*and is Ready|[^]*is ready after){${times}}`));
  logs.kill('SIGTERM');
  await logs.ended;
}

async function compose(...args: string[]): Promise<void> {
  const profile = crio ? ['--profile', 'crio'] : [];
  const { exitCode, stderr } = await start('docker-compose', ['-p', 'u7s', ...profile, ...args], there().env)
    .ended;
  if (exitCode !== 0) throw new Error(`docker-compose ${args.join(' ')} exited with ${exitCode}\n${stderr}`);
}

/** Compose v1 and v2 call containers differently, but label them alike. */
async function container(service: string): Promise<string> {
  return (await docker('ps', '-q', '--filter', `label=com.docker.compose.service=${service}`)).trim();
}

async function control(...args: string[]): Promise<string> {
  return u7s(await container('control-plane'), ...args);
}

async function nodesReady(): Promise<void> {
  const nodes = members.map(([name]) => `node/${name}`);
  await control('kubectl', 'wait', '--for=condition=Ready', ...nodes, '--timeout=120s');
}

async function pairsThatFail(): Promise<PairReport[]> {
  const { stdout, stderr } = await there().docker(
    ...['exec', await container('control-plane'), 'u7s', 'check', 'network', '-o', 'json'],
  );
  const pairs = JSON.parse(stdout || '[]') as PairReport[];
  if (pairs.length !== members.length ** 2) throw new Error(`only ${pairs.length} pairs: ${stderr}`);
  return pairs.filter(({ cause }) => cause !== undefined);
}
