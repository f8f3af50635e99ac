import { userInfo } from 'node:os';
import { installUnit, lingers, renderUnit, requireSystemd, systemctl, userUnit } from '../host/systemd.js';
import { instanceStatus } from '../launcher/client.js';
import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { instanceName } from '../settings/paths.js';
import type { InstanceContext } from './context.js';

export type InstallRequest = {
  /** The program and its first arguments, as systemd is to execute it. */
  program: readonly string[];
  /** As for `up`. */
  upArguments: readonly string[];
  /** Start it at once, too. */
  now: boolean;
  /** What cron would have to execute, for a host without systemd. */
  cronLine: string;
};

/** `lingers`: whether systemd starts it at boot, and not only when its user logs in. */
export type Installed = { name: string; file: string; user: string; lingers: boolean };

/** The unit by which systemd starts the instance. */
export function unitText({ env, name }: InstanceContext, { program, upArguments }: InstallRequest): string {
  return renderUnit({
    cluster: name,
    command: [...program, '--cluster', name, '--progress', 'plain', 'up', ...upArguments],
    path: env['PATH'] ?? '',
  });
}

/** Has systemd start the instance at each boot, as a unit of this user. */
export async function install(context: InstanceContext, request: InstallRequest): Promise<Installed> {
  const { env, paths } = context;
  await requireSystemd([`have cron do it (crontab -e): ${request.cronLine}`]);
  if (request.now) await requireStopped(context);
  const { name, file } = userUnit(instanceName(context.name), paths.configHome);
  await installUnit({ name, file }, unitText(context, request), env);
  if (request.now) await systemctl(['start', name], env);
  const user = userInfo().username;
  return { name, file, user, lingers: await lingers(user) };
}

async function requireStopped({ name, paths, signal }: InstanceContext): Promise<void> {
  if ((await instanceStatus(paths.controlSocket, signal)) === undefined) return;
  throw new U7sError('already-running', `cluster ${name} is already running, outside of systemd`, {
    fixes: [u7s(['down'], { text: 'stop it, then try again' })],
  });
}
