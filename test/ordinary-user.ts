import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, mkdir, readFile, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asUser, findAccount, preparedAccount, type Account } from '#src/host/account.js';
import { resolveHomeDirs } from '#src/host/user-dirs.js';
import { run, runOk } from '#src/lib/exec.js';
import { clusterPaths, type Paths } from '#src/settings/paths.js';

/** Why tests with users of their own are skipped, if they are. */
export const needsRoot = process.getuid?.() === 0 ? undefined : 'takes root';

export type Result = { exitCode: number | null; stdout: string; stderr: string };

/** A command that is under way. */
export type Running = {
  pid: number;
  /** Settles when `stdout` or `stderr` has said something like this. */
  said: (what: RegExp) => Promise<void>;
  kill: (signal: NodeJS.Signals) => void;
  ended: Promise<Result>;
};

const subIdsOfUser = 65_536;

/** Far from what the other users of this machine have, and from each other. */
const firstSubId = (uid: number): number => 400_000_000 + uid * subIdsOfUser;

/** Makes an account with a home, a private runtime directory and as many sub-IDs as told. */
export async function makeUser(name: string, subIds = subIdsOfUser): Promise<Account> {
  await removeUser(name);
  await runOk('useradd', [
    '--create-home',
    '--shell',
    '/bin/sh',
    '-K',
    'SUB_UID_COUNT=0',
    '-K',
    'SUB_GID_COUNT=0',
    name,
  ]);
  const account = await findAccount(name);
  if (account === undefined) throw new Error(`useradd has not made ${name}`);
  if (subIds > 0) {
    const first = firstSubId(account.uid);
    const range = `${first}-${first + subIds - 1}`;
    await runOk('usermod', ['--add-subuids', range, '--add-subgids', range, name]);
  }
  const runtimeDir = `/run/user/${account.uid}`;
  await mkdir('/run/user', { recursive: true });
  await rm(runtimeDir, { recursive: true, force: true });
  await runOk('install', ['-d', '-m', '0700', '-o', name, '-g', String(account.gid), runtimeDir]);
  await chmod(account.home, 0o755);
  return { ...account, runtimeDir };
}

/** A user with a copy of the binaries that the prepared account has, so that none need be got. */
export async function makeUserWithBinaries(name: string): Promise<Account> {
  const account = await makeUser(name);
  const [from, to] = [(await preparedAccount(process.env)).home, account.home];
  const store = '.local/share/usernetes/artifacts';
  await runOk('sh', ['-ec', `mkdir -p ${to}/.local/share/usernetes; cp -a ${from}/${store} ${to}/${store}`]);
  await runOk('chown', ['-R', `${account.uid}:${account.gid}`, join(to, '.local')]);
  return account;
}

export async function removeUser(name: string): Promise<void> {
  const account = await findAccount(name);
  if (account === undefined) return;
  await run('userdel', ['--remove', '--force', name]);
  await rm(`/run/user/${account.uid}`, { recursive: true, force: true });
  // The next user may get the same uid, and would be taken for whose files these are.
  for (const name of await readdir('/tmp')) {
    const file = join('/tmp', name);
    if ((await lstat(file).catch(() => undefined))?.uid === account.uid)
      await rm(file, { recursive: true, force: true });
  }
}

/** `u7s` as root acting for this user, as a person would type it. */
export function u7s(
  account: Account,
  args: readonly string[],
  { env = {}, inside = [] }: { env?: Record<string, string>; inside?: readonly string[] } = {},
): Running {
  const [command = '', ...rest] = [...inside, process.execPath, 'bin/u7s.js', ...args];
  return start(command, rest, { PATH: process.env.PATH, U7S_USER: account.name, ...env });
}

/** `u7s` as the user itself, from the copy of it that they own, with an environment of their own. */
export async function u7sAsUser(
  account: Account,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Running> {
  const copies = join(account.home, '.local/share/usernetes/launcher');
  const [copy] = (await readdir(copies)).filter((name) => !name.startsWith('.'));
  const program = join(copies, copy ?? '', 'bin/u7s.js');
  const {
    command,
    args: words,
    env: own,
  } = asUser(account, [process.execPath, program, ...args], process.env);
  return start(command, words, { ...own, ...env });
}

export function start(
  command: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
): Running {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      output[name] += String(chunk);
      for (const listener of listeners) listener();
    });
  }
  const ended = once(child, 'close').then(([exitCode]) => ({
    exitCode: exitCode as number | null,
    ...output,
  }));
  const said = (what: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!what.test(output.stdout) && !what.test(output.stderr)) return;
        listeners.delete(look);
        resolve();
      };
      listeners.add(look);
      look();
      void ended.then(({ stderr }) => reject(new Error(`ended without saying ${what}: ${stderr}`)));
    });
  return { pid: child.pid ?? 0, said, kill: (signal) => void child.kill(signal), ended };
}

/** Where an instance of a user's is. */
export function pathsOf({ home, runtimeDir = '' }: Account, cluster = 'default'): Paths {
  return clusterPaths({ ...resolveHomeDirs({ HOME: home }), runtimeDir }, cluster);
}

export type UserProcess = { pid: number; command: string; args: string[] };

/** Every process of the user, those in containers included. */
export async function processesOf({ uid }: Account): Promise<UserProcess[]> {
  const subIds = firstSubId(uid);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      try {
        const owner = (await stat(`/proc/${pid}`)).uid;
        if (owner !== uid && (owner < subIds || owner >= subIds + subIdsOfUser)) return [];
        const [command = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
        return command === '' ? [] : [{ pid: Number(pid), command, args }];
      } catch {
        return []; // it ended while we looked
      }
    }),
  );
  return found.flat();
}

/** Every file and socket below the folders that u7s writes to, but for its binaries and its own copies. */
export async function leftovers({ home, runtimeDir = '' }: Account): Promise<string[]> {
  const folders = [join(home, '.local/state'), join(home, '.kube'), runtimeDir];
  return (await Promise.all(folders.map(below))).flat();
}

/** What is below a folder, folders themselves included; nothing where there is none. What is just being removed is gone. */
export async function below(folder: string): Promise<string[]> {
  const entries = await readdir(folder).catch(() => []);
  const found = entries.map(async (entry) => {
    const path = join(folder, entry);
    const status = await lstat(path).catch(() => undefined);
    if (status === undefined) return [];
    return [path, ...(status.isDirectory() ? await below(path) : [])];
  });
  return (await Promise.all(found)).flat();
}
