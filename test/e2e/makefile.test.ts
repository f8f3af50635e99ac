import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { binariesOf } from '../fixtures/images/artifacts.js';
import { needsRoot, start, type Result } from '../ordinary-user.js';
import { makeHosts, removeHosts, type TestHost } from './hosts.js';
import { ok } from './shell.js';

/** The flow of the second Usernetes' README, typed line by line, without a container engine. */
const serial = needsRoot === undefined ? test.serial : test.serial.skip;

let hosts: { first: TestHost; second: TestHost } | undefined;
const checkouts = new Map<TestHost, string>();
let kubectl = '';

test.before('two hosts, each with a checkout', async (t) => {
  if (needsRoot !== undefined) return;
  t.timeout(80 * 60_000, 'the binaries may have to be built');
  await ok('bin/u7s.js', ['artifacts', 'fetch', '--preset', 'default-containerd']);
  await ok('bin/u7s.js', ['artifacts', 'fetch', 'flannel', 'netcheck']);
  kubectl = (await binariesOf('kubernetes'))['kubectl'] ?? '';
  const [first, second] = await makeHosts(2);
  if (first === undefined || second === undefined) throw new Error('there are no hosts');
  hosts = { first, second };
  for (const host of [first, second]) checkouts.set(host, await checkout());
});

test.after.always('the hosts are removed', async () => {
  for (const host of checkouts.keys()) await host.u7s('cleanup');
  for (const folder of checkouts.values()) await rm(folder, { recursive: true });
  if (needsRoot === undefined) await removeHosts(2);
});

serial('without a word, make tells its verbs', async (t) => {
  const { stdout } = await type(both().first, 'make');
  t.regex(stdout, /^make up {2,}have a node ready/m);
  t.is(stdout.split('\n').filter((line) => line.startsWith('make ')).length, 12);
});

serial('Bootstrap a cluster', async (t) => {
  const { first } = both();
  await succeeds(t, first, 'make up');
  await succeeds(t, first, 'make up');
  await succeeds(t, first, 'make kubeadm-init');
  await succeeds(t, first, 'make install-flannel');
});

serial('Enable kubectl', async (t) => {
  const { first } = both();
  await succeeds(t, first, 'make kubeconfig');
  t.is(await succeeds(t, first, 'stat -c %a kubeconfig'), '600\n');
  const pods = await succeeds(t, first, 'export KUBECONFIG=$(pwd)/kubeconfig; kubectl get pods -A');
  t.regex(pods, /^kube-system +coredns-\S+ +1\/1 +Running/m);
});

serial('Multi-host', async (t) => {
  const { first, second } = both();
  const failed = await type(second, 'make kubeadm-join');
  t.regex(
    failed.stderr,
    /error\[no-join-file\]: .*join-command\n {2}fix: on the control plane: make join-command/,
  );
  await succeeds(t, first, 'make join-command');
  await copyFile(
    join(checkouts.get(first) ?? '', 'join-command'),
    join(checkouts.get(second) ?? '', 'join-command'),
  );
  await succeeds(t, second, 'make up kubeadm-join');
  const nodes = await succeeds(t, first, 'make sync-external-ip');
  for (const { name, address } of [first, second])
    t.regex(nodes, new RegExp(`^${name} +Ready .* ${address.replaceAll('.', '\\.')} `, 'm'));
});

serial(
  'make down, and up again, is a restart; kubeadm-reset takes a node out, which may join again',
  async (t) => {
    const { first, second } = both();
    await succeeds(t, second, 'make down');
    await succeeds(t, second, 'make up');
    await succeeds(t, second, 'make kubeadm-reset');
    t.is(await nodesOf(t, first), `node/${first.name}\n`);
    await succeeds(t, second, 'make kubeadm-join');
    t.is(await nodesOf(t, first), `node/${first.name}\nnode/${second.name}\n`);
  },
);

serial('make down-v', async (t) => {
  const { first, second } = both();
  await succeeds(t, second, 'make down-v');
  await succeeds(t, first, 'make down-v');
  t.regex((await type(first, 'make kubeconfig')).stderr, /error\[never-started\]/);
});

const both = (): { first: TestHost; second: TestHost } => {
  if (hosts === undefined) throw new Error('there are no hosts');
  return hosts;
};

/** What a person has beside the Makefile: the same compilation, by links, with nothing in it that looks newer. */
async function checkout(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'u7s-make-'));
  await chmod(folder, 0o755);
  for (const part of ['bin', 'dist', 'node_modules', 'package-lock.json', 'Makefile'])
    await symlink(join(process.cwd(), part), join(folder, part));
  for (const older of ['src', 'tsconfig.json']) {
    await mkdir(join(folder, older));
    await utimes(join(folder, older), 0, 0);
  }
  return folder;
}

/** A line, as it is typed on the host in the checkout. */
async function type(host: TestHost, line: string): Promise<Result> {
  const [command = '', ...args] = [...host.inside, 'sh', '-c', `cd '${checkouts.get(host)}'; ${line}`];
  const environment = {
    PATH: `${join(kubectl, '..')}:${process.env.PATH}`,
    U7S_USER: host.account.name,
    NODE_NAME: host.name,
  };
  return start(command, args, environment).ended;
}

async function succeeds(
  t: { is: (actual: unknown, expected: unknown, message?: string) => void },
  host: TestHost,
  line: string,
): Promise<string> {
  const { exitCode, stdout, stderr } = await type(host, line);
  t.is(exitCode, 0, `${line}: ${stderr}`);
  return stdout;
}

const nodesOf = (t: Parameters<typeof succeeds>[0], host: TestHost): Promise<string> =>
  succeeds(t, host, 'KUBECONFIG=$(pwd)/kubeconfig kubectl get nodes -o name');
