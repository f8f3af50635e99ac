import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, lstat, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { parse, stringify } from 'yaml';
import { asUser, findAccount } from '#src/host/account.js';
import type { Account } from '#src/host/account.js';
import { renderKubeconfig } from '#src/kube/kubeconfig.js';
import { createAuthority, issueCertificate } from '#src/pki/ca.js';

/** `u7s` as root in a checkout that only root can read, acting as the user usernetes. */
const isRoot = process.getuid?.() === 0;
let account: Account;
let root: string;

function asRoot(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  if (isRoot) test.serial(title, run);
  else test.serial.skip(`${title} (takes root)`, run);
}

test.before(async () => {
  root = await mkdtemp(join(tmpdir(), 'u7s private '));
  const { packages } = JSON.parse(await readFile('package-lock.json', 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  const needed = [
    'bin',
    'dist',
    'config',
    'build',
    'patches',
    'package.json',
    'package-lock.json',
    'node_modules',
  ];
  const filter = (path: string): boolean => packages[path]?.dev !== true;
  for (const part of needed) await cp(part, join(root, part), { recursive: true, filter });
  await chmod(root, 0o700);
  if (!isRoot) return;
  const prepared = await findAccount('usernetes');
  if (prepared === undefined) await result(u7s(['init-host', '--user', 'usernetes']));
  account = prepared ?? ((await findAccount('usernetes')) as Account);
});
test.after.always(() => rm(root, { recursive: true, force: true }));

function u7s(args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [join(root, 'bin', 'u7s.js'), ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function result(
  child: ChildProcess,
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => (output.stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (output.stderr += String(chunk)));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, ...output };
}

/** A cluster's name for one test, whose state the user has already; removed at the end. */
async function clusterWithLog(t: ExecutionContext): Promise<{ cluster: string; state: string }> {
  const cluster = `test-${process.pid}-${++clusters}`;
  const state = join(account.home, '.local/state/usernetes', cluster);
  t.teardown(() => rm(state, { recursive: true, force: true }));
  const { command, args, env } = asUser(account, ['sh', '-c', script, 'sh', join(state, 'logs')], {});
  t.is((await result(spawn(command, args, { env, stdio: 'pipe' }))).exitCode, 0);
  return { cluster, state };
}
let clusters = 0;
const script = 'mkdir -p "$1" && id -u > "$1/etcd.log"';

asRoot('root runs a command as the prepared user, from a copy that this user owns', async (t) => {
  const { cluster, state } = await clusterWithLog(t);
  t.deepEqual(await result(u7s(['--cluster', cluster, 'logs', 'etcd'])), {
    exitCode: 0,
    stdout: `${account.uid}\n`,
    stderr: '',
  });
  const missing = await result(u7s(['--cluster', cluster, 'kubeconfig']));
  t.is(missing.exitCode, 1);
  t.true(missing.stderr.includes(state));
  const copies = await stat(join(account.home, '.local/share/usernetes/launcher'));
  t.is(copies.uid, account.uid);
});

asRoot('signals reach the command, and its exit code comes back', async (t) => {
  const { cluster } = await clusterWithLog(t);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const child = u7s(['--cluster', cluster, 'logs', '-f']);
    const ended = result(child);
    if (child.stdout) await once(child.stdout, 'data');
    child.kill(signal);
    t.like(await ended, { exitCode: code, stderr: '' });
  }
});

asRoot('kubectl without a running cluster says how to start it', async (t) => {
  const { cluster } = await clusterWithLog(t);
  const { exitCode, stderr } = await result(u7s(['kubectl', '--cluster', cluster, 'get', 'pods']));
  t.is(exitCode, 1);
  t.regex(stderr, /^error\[not-running\]: .*\n {2}fix: .*run\.sh --cluster \S+( -d)?\n$/);
});

/** As a start leaves it; `more` is what the account adds to its user. */
async function accountsKubeconfig(more: object = {}): Promise<{ text: string }> {
  const now = new Date();
  const { certPem: caPem, issuer } = await createAuthority('kubernetes', now);
  const spec = { name: 'admin', authority: 'ca', commonName: 'admin', usage: 'client', hosts: [] } as const;
  const pair = await issueCertificate({ ...spec, hosts: [] }, issuer, now);
  const config = parse(
    renderKubeconfig({ name: 'usernetes', server: 'https://127.0.0.1:6443', caPem, ...pair }),
  ) as { users: [{ user: object }] };
  config.users[0].user = { ...config.users[0].user, ...more };
  return { text: stringify(config) };
}
const plugin = { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: '/tmp/of-the-account' } };

asRoot('the checkout gets a kubeconfig of root’s own with `up`, and loses it with `cleanup`', async (t) => {
  const { cluster, state } = await clusterWithLog(t);
  const path = join(root, 'config', 'localhost.kubeconfig');
  const up = (): Promise<unknown> => result(u7s(['--cluster', cluster, 'up', 'no-such-preset']));
  await up();
  await t.throwsAsync(stat(path), { code: 'ENOENT' }, 'nothing is left of a start that failed');
  await writeFile(join(state, 'admin.kubeconfig'), (await accountsKubeconfig(plugin)).text);
  await up();
  const { mode, uid } = await lstat(path);
  t.deepEqual({ mode: mode & 0o7777, uid }, { mode: 0o600, uid: 0 });
  const text = await readFile(path, 'utf8');
  t.regex(text, /client-key-data/);
  t.notRegex(text, /exec|of-the-account/);
  const cleanup = await result(u7s(['--cluster', cluster, 'cleanup']));
  t.is(cleanup.exitCode, 0, cleanup.stderr);
  await t.throwsAsync(stat(path), { code: 'ENOENT' });
});

asRoot('a link in the place of the account’s kubeconfig leads root nowhere', async (t) => {
  const { cluster, state } = await clusterWithLog(t);
  const secret = join(root, 'secret');
  await writeFile(secret, (await accountsKubeconfig()).text, { mode: 0o600 });
  await symlink(secret, join(state, 'admin.kubeconfig'));
  await result(u7s(['--cluster', cluster, 'up', 'no-such-preset']));
  await t.throwsAsync(stat(join(root, 'config', 'localhost.kubeconfig')), { code: 'ENOENT' });
  t.not((await result(u7s(['--cluster', cluster, 'kubeconfig']))).exitCode, 0);
});

asRoot(
  'what root is given of a kubeconfig has no programs in it, and is not the account’s file',
  async (t) => {
    const { cluster, state } = await clusterWithLog(t);
    await writeFile(join(state, 'admin.kubeconfig'), (await accountsKubeconfig(plugin)).text, {
      mode: 0o644,
    });
    const { exitCode, stdout, stderr } = await result(u7s(['--cluster', cluster, 'kubeconfig']));
    t.is(exitCode, 0, stderr);
    t.regex(stdout, /client-key-data/);
    t.notRegex(stdout, /exec|of-the-account/);
    const path = await result(u7s(['--cluster', cluster, 'kubeconfig', '--path']));
    t.is(path.exitCode, 2);
    t.regex(path.stderr, /^error\[not-for-root\]: .*\n {2}fix: /);
    await writeFile(join(state, 'admin.kubeconfig'), 'users: [{user: {exec: {command: x}}}]');
    t.regex((await result(u7s(['--cluster', cluster, 'kubeconfig']))).stderr, /^error\[kubeconfig-invalid\]/);
  },
);

asRoot('a user who does not exist: the error says how to prepare one', async (t) => {
  const { exitCode, stderr } = await result(u7s(['status'], { U7S_USER: 'u7s-nobody' }));
  t.is(exitCode, 1);
  t.regex(stderr, /^error\[no-such-user\]: .*u7s-nobody.*\n {2}fix: .*init-host/);
});

asRoot('what concerns no cluster is answered by root itself', async (t) => {
  t.is((await result(u7s(['version'], { U7S_USER: 'u7s-nobody' }))).exitCode, 0);
});
