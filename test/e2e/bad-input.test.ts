import { readFile, readdir, readlink, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { Account } from '#src/host/account.js';
import { runOk } from '#src/lib/exec.js';
import {
  leftovers,
  makeUserWithBinaries,
  needsRoot,
  processesOf,
  removeUser,
  u7s as start,
  u7sAsUser,
  type Result,
  type Running,
} from '../ordinary-user.js';

/** What can go wrong with a real cluster and around it, on a user account made for it. */
const cluster = ['--cluster', 'bad1'];
const up = ['up', ...cluster, '--api-port', '6511'];
let account: Account;
let state: string;

function asRoot(title: string, work: (t: ExecutionContext) => Promise<void>): void {
  if (needsRoot === undefined) test.serial(title, work);
  else test.serial.skip(`${title} (${needsRoot})`, work);
}

test.before('a user with binaries of their own', async () => {
  if (needsRoot !== undefined) return;
  account = await makeUserWithBinaries(`u7s-bad-${process.pid}`);
  state = join(account.home, '.local/state/usernetes/bad1');
});

test.after.always(async () => {
  if (needsRoot !== undefined || account === undefined) return;
  await u7s('cleanup', ...cluster).ended;
  await removeUser(account.name);
});

const u7s = (...args: string[]): Running => start(account, args);

async function succeeds(...args: string[]): Promise<Result> {
  const result = await u7s(...args).ended;
  if (result.exitCode !== 0) throw new Error(`u7s ${args.join(' ')}: ${result.exitCode}\n${result.stderr}`);
  return result;
}

/** No process of the user and no socket is left; the state is what a stopped cluster keeps. */
async function nothingRuns(t: ExecutionContext): Promise<void> {
  const commands = async (): Promise<string[]> => (await processesOf(account)).map(({ command }) => command);
  for (let tries = 0; tries < 100 && (await commands()).length > 0; tries++) await delay(100);
  t.deepEqual(await commands(), []);
  const runtime = await leftovers({ ...account, home: '/nowhere' });
  t.deepEqual(
    runtime.filter((path) => !path.endsWith('/usernetes-bad1')),
    [],
  );
  t.notRegex(await readFile('/proc/self/mountinfo', 'utf8'), RegExp(account.home));
}

asRoot('a start of what runs already changes nothing and succeeds', async (t) => {
  await succeeds(...up, '-d');
  const before = await status();
  t.regex((await succeeds(...up)).stdout, /cluster bad1 is already running/);
  t.is((await status()).startedAt, before.startedAt);
});

asRoot('a kubeconfig that is none is left as it is; the cluster comes up and says so', async (t) => {
  await succeeds('down', ...cluster);
  const file = join(account.home, '.kube/config');
  await writeFile(file, 'clusters: {not: a list}\n');
  t.teardown(() => rm(file, { force: true }));
  const { stdout, stderr } = await succeeds(...up, '-d');
  t.regex(stderr, /warning: .*\/\.kube\/config.*\n {2}fix: .*mv /);
  t.regex(stdout, /is ready after/);
  t.notRegex(stdout, /kubectl --context/);
  t.is(await readFile(file, 'utf8'), 'clusters: {not: a list}\n');
});

asRoot('a user who starts it from a checkout of their own finds its kubeconfig there', async (t) => {
  const { ended } = await u7sAsUser(account, up);
  t.is((await ended).exitCode, 0);
  const copies = join(account.home, '.local/share/usernetes/launcher');
  const [copy = ''] = await readdir(copies);
  const link = join(copies, copy, 'config/localhost.kubeconfig');
  t.is(await readlink(link), join(state, 'admin.kubeconfig'));
});

asRoot('a stop while a start waits: the start begins when the stop is done', async (t) => {
  const down = u7s('down', ...cluster);
  await down.said(/stop of cluster bad1: started/);
  const started = await succeeds(...up, '-d');
  t.is((await down.ended).exitCode, 0);
  t.regex(started.stdout, /is ready after/);
  await succeeds('down', ...cluster);
  await nothingRuns(t);
});

const phases: Record<string, RegExp> = {
  'while it starts': /etcd: started/,
  'while it waits for the node': /node \S+: started/,
  'when it is ready': /is ready after/,
};
for (const [phase, said] of Object.entries(phases)) {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    asRoot(`${signal} ${phase} stops everything in order`, async (t) => {
      const started = u7s(...up);
      await started.said(said);
      started.kill(signal);
      const result = await started.ended;
      t.is(result.exitCode, exitCode, result.stderr);
      t.regex(result.stderr, /stop: done in/, 'it says what it waits for');
      t.notRegex(result.stderr, /error\[/);
      await nothingRuns(t);
    });
  }
}

asRoot('Ctrl-C while binaries are got leaves nothing half-made', async (t) => {
  const store = join(account.home, '.local/share/usernetes/artifacts');
  await runOk('mv', [store, `${store}.away`]);
  t.teardown(() => runOk('sh', ['-ec', `rm -rf ${store}; mv ${store}.away ${store}`]));
  const { createServer } = await import('node:http');
  const asked = new Promise<void>((resolve) => {
    const server = createServer((request, response) => {
      response.writeHead(200);
      if (request.method === 'HEAD') return void response.end();
      response.write('and then nothing more');
      resolve();
    }).listen(6512, '127.0.0.1');
    t.teardown(() => {
      server.closeAllConnections();
      server.close();
    });
  });
  const started = start(account, up, { env: { U7S_MIRROR: 'http://127.0.0.1:6512' } });
  await asked;
  started.kill('SIGINT');
  t.is((await started.ended).exitCode, 130);
  await nothingRuns(t);
});

asRoot('a second Ctrl-C does not wait any longer', async (t) => {
  const started = u7s(...up);
  await started.said(/is ready after/);
  started.kill('SIGINT');
  await started.said(/stop: /);
  await delay(300); // what comes at once counts as the same request
  started.kill('SIGINT');
  t.is((await started.ended).exitCode, 130);
  await nothingRuns(t);
});

asRoot('a start that takes too long says what is missing and is stopped', async (t) => {
  const { exitCode, stderr } = await u7s(...up, '--timeout', '1s').ended;
  t.is(exitCode, 1);
  t.regex(stderr, /error\[start-timeout\]: .*(not ready are .*kube-apiserver \(|no service was started)/);
  t.regex(stderr, /fix: .*--timeout.*--retain/);
  await nothingRuns(t);
});

asRoot('--retain keeps what failed, until it is stopped', async (t) => {
  t.is((await u7s(...up, '--timeout', '1s', '--retain').ended).exitCode, 1);
  t.is((await u7s('status', ...cluster).ended).exitCode, 1);
  await succeeds('down', ...cluster);
  await nothingRuns(t);
});

asRoot('a damaged authority is told at once, and how to begin anew', async (t) => {
  const file = join(state, 'pki/ca.crt');
  const good = await readFile(file);
  t.teardown(() => writeFile(file, good));
  await writeFile(file, 'not a certificate');
  const before = Date.now();
  const { exitCode, stderr } = await u7s(...up).ended;
  t.is(exitCode, 1);
  t.regex(stderr, /error\[pki-damaged\]: \S+\/ca\.crt .*\n {2}fix: restore [^]*--cluster bad1/);
  t.true(Date.now() - before < 30_000);
  await nothingRuns(t);
});

asRoot('a damaged leaf is made anew', async (t) => {
  await writeFile(join(state, 'pki/kubelet.crt'), 'not a certificate');
  const { stderr } = await succeeds(...up, '-d');
  t.regex(stderr, /renewed certificates \(its key does not fit it\): kubelet/);
  await succeeds('down', ...cluster);
});

asRoot('what the user sets for containerd goes over the settings of the cluster', async (t) => {
  const file = await drop('containerd.d/10-registry.toml', mirrors('/certs-of-mine'));
  t.teardown(() => rm(file));
  await succeeds(...up, '-d');
  const config = join(state, 'etc/containerd.toml');
  const inNode = ['shell', ...cluster, '--', 'containerd', '--config', config, 'config', 'dump'];
  t.regex((await succeeds(...inNode)).stdout, /config_path = ["']\/certs-of-mine["']/);
  await succeeds('down', ...cluster);
});

asRoot('a broken drop-in of the runtime is named', async (t) => {
  const file = await drop('containerd.d/10-registry.toml', 'version = three');
  t.teardown(() => rm(file));
  const { exitCode, stderr } = await u7s(...up).ended;
  t.is(exitCode, 1);
  t.regex(stderr, /error\[service-failed\]: containerd .*10-registry\.toml/);
  t.regex(stderr, RegExp(`fix: .*${file}`));
  await nothingRuns(t);
});

asRoot('damaged data of etcd: the service, its last words and its log are named', async (t) => {
  await truncate(join(state, 'etcd/member/snap/db'), 5000);
  const { exitCode, stderr } = await u7s(...up).ended;
  t.is(exitCode, 1);
  t.regex(stderr, /error\[service-failed\]: etcd .*(panic|database|db)/);
  t.regex(stderr, RegExp(`fix: .*${join(state, 'logs/etcd.log')}|fix: .*--cluster bad1 logs etcd`));
  await nothingRuns(t);
});

asRoot('what belongs to sub-IDs that the user has no longer is named, and how to remove it', async (t) => {
  const foreign = join(state, 'foreign');
  await runOk('install', ['-d', '-m', '0700', '-o', '4000000', join(foreign, 'inner')]);
  await runOk('chown', ['4000000', foreign]);
  t.teardown(() => rm(foreign, { recursive: true, force: true }));
  const { exitCode, stderr } = await u7s('cleanup', ...cluster).ended;
  t.is(exitCode, 1);
  t.regex(stderr, /error\[foreign-files\]: .*\/foreign/);
  t.true(stderr.includes(`as root: rm -rf ${state}`), stderr);
});

asRoot('cleanup leaves nothing', async (t) => {
  await succeeds('cleanup', ...cluster);
  const file = join(account.home, '.kube/config');
  const settings = join(account.home, '.config');
  const left = (await leftovers(account)).filter((path) => !path.startsWith(settings));
  t.deepEqual(left, [file], 'a kubeconfig may have other clusters');
  t.notRegex(await readFile(file, 'utf8'), /usernetes/);
  await nothingRuns(t);
});

const mirrors = (folder: string): string =>
  `version = 3\n[plugins."io.containerd.cri.v1.images".registry]\n  config_path = "${folder}"\n`;

/** Puts a file among the user's settings; returns its path. */
async function drop(name: string, content: string): Promise<string> {
  const file = join(account.home, '.config/usernetes', name);
  await runOk('install', ['-d', '-o', account.name, dirname(file)]);
  await writeFile(file, content);
  return file;
}

async function status(): Promise<{ startedAt: number }> {
  return JSON.parse((await u7s('status', ...cluster, '-o', 'json').ended).stdout) as { startedAt: number };
}
