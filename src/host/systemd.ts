import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDir, writeFileAtomic } from '../lib/atomic-file.js';
import { U7sError, errnoOf } from '../lib/errors.js';
import { run } from '../lib/exec.js';
import type { Fix } from '../lib/fixes.js';
import { exists } from '../lib/exists.js';

type Env = Record<string, string | undefined>;

/** Exists where systemd runs the host: sd_booted(3). */
export const systemdFolder = '/run/systemd/system';

export type UnitOptions = {
  cluster: string;
  /** Runs the instance in the foreground and notifies systemd when it is Ready. */
  command: string[];
  path: string;
};

/**
 * A unit of the user's systemd. Delegate= gives the node a cgroup of its own. Only the first process gets the signal to
 * stop, and stops the others in order. Exit code 0 follows `u7s down`, 2 a wrong command line: neither is restarted.
 */
export function renderUnit({ cluster, command, path }: UnitOptions): string {
  return `[Unit]
Description=Usernetes: instance ${cluster}

[Service]
Type=notify
NotifyAccess=all
Environment=${quoted(`PATH=${path}`)}
ExecStart=${command.map((word) => quoted(word.replaceAll('$', '$$$$'))).join(' ')}
Delegate=yes
Restart=always
RestartSec=2
RestartPreventExitStatus=0 2
KillMode=mixed
# The first start may build the binaries.
TimeoutStartSec=infinity
TimeoutStopSec=60
# Pods that run out of memory are the kubelet's concern.
OOMPolicy=continue
TasksMax=infinity
LimitNOFILE=infinity

[Install]
WantedBy=default.target
`;
}

/** systemd.syntax(7): in double quotes, with specifiers made harmless. Variables are only known in command lines. */
function quoted(word: string): string {
  const harmless = word.replaceAll('%', '%%');
  return /^[\w@%+=:,./-]+$/.test(word) ? harmless : `"${harmless.replaceAll(/[\\"]/g, '\\$&')}"`;
}

export type UserUnit = {
  /** `usernetes.service` */
  name: string;
  file: string;
};

/** Where a user's own units lie: systemd.unit(5). */
export function userUnit(instance: string, configHome: string): UserUnit {
  const name = `${instance}.service`;
  return { name, file: join(configHome, 'systemd/user', name) };
}

/** Throws where systemd does not run the host; `fixes` are other ways to start at boot. */
export async function requireSystemd(fixes: readonly Fix[], runtime = systemdFolder): Promise<void> {
  if (await exists(runtime)) return;
  throw new U7sError(
    'no-systemd',
    'this host was not booted with systemd, so nothing can be installed there',
    {
      fixes,
    },
  );
}

/** Writes the unit and has it started at each boot. */
export async function installUnit(unit: UserUnit, content: string, env: Env): Promise<void> {
  await ensureDirOf(unit);
  await writeFileAtomic(unit.file, content, { mode: 0o644 });
  await systemctl(['daemon-reload'], env);
  await systemctl(['enable', unit.name], env);
}

/** Stops the unit and removes it; false when it was not installed. */
export async function removeUnit(unit: UserUnit, env: Env): Promise<boolean> {
  const there = await readFile(unit.file).catch((error: unknown) => {
    if (errnoOf(error) !== 'ENOENT') throw error;
  });
  if (there === undefined) return false;
  await systemctl(['disable', '--now', unit.name], env);
  await rm(unit.file, { force: true });
  await systemctl(['daemon-reload'], env);
  return true;
}

export async function systemctl(args: readonly string[], env: Env): Promise<void> {
  const { exitCode, stderr } = await run('systemctl', ['--user', ...args], { env });
  if (exitCode === 0) return;
  const noManager = stderr.includes('connect to bus');
  throw new U7sError('systemd-failed', `systemctl --user ${args.join(' ')} failed: ${stderr.trim()}`, {
    ...(noManager
      ? { fixes: ['sudo loginctl enable-linger $USER, then log in as that user and try again'] }
      : {}),
  });
}

export type UserManager = {
  /** Of the user's systemd, for example `/user.slice/user-1000.slice/user@1000.service`. */
  cgroup: string;
  /** Whether it has delegated the cgroup of the unit that was asked about. */
  delegatesUnit: boolean;
};

/** Asks the user's systemd about itself and one of its units; undefined when it does not run. */
export async function userManager(unit: string | undefined, env: Env): Promise<UserManager | undefined> {
  const show = ['--user', 'show', '--property=ControlGroup,Delegate', '--', '-.slice'];
  const answer = await run('systemctl', [...show, ...(unit === undefined ? [] : [unit])], { env }).catch(
    () => undefined,
  );
  const [slice = '', asked = ''] = answer?.stdout.split('\n\n') ?? [];
  const cgroup = /^ControlGroup=(\/.+)$/m.exec(slice)?.[1];
  return cgroup === undefined ? undefined : { cgroup, delegatesUnit: /^Delegate=yes$/m.test(asked) };
}

/** Whether systemd runs the user's units without a login. */
export async function lingers(user: string): Promise<boolean> {
  return exists(lingerFile(user));
}

/** Exists while the user lingers. */
export function lingerFile(user: string): string {
  return join('/var/lib/systemd/linger', user);
}

/** Notifies systemd, where it waits for it, that the service is up: sd_notify(3) through its own program. */
export async function notifyReady(status: string, env: Env): Promise<void> {
  if (!env['NOTIFY_SOCKET']) return;
  await run('systemd-notify', ['--ready', `--status=${status}`], { env });
}

async function ensureDirOf({ file }: UserUnit): Promise<void> {
  await ensureDir(join(file, '..'), 0o755);
}
