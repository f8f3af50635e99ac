import { notifyReady } from '../host/systemd.js';
import type { InstanceContext } from '../instance/context.js';
import { keepJoinFile } from '../instance/join-file.js';
import type { StartResult } from '../instance/start/start.js';
import type { LauncherHandle } from '../launcher/handle.js';
import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { formatElapsed } from '../ui/renderer.js';
import { hostKubectl, wrapperFolder } from './as-root/checkout.js';
import type { Cli } from './command.js';
import { readySummary } from './status/ready-summary.js';
import { instanceTypist } from './typist.js';

/** Says that the cluster is Ready and what to type next. */
export async function tellReady(
  cli: Cli,
  { name }: InstanceContext,
  result: StartResult,
  foreground: boolean,
): Promise<void> {
  const already = result.state === 'already-running';
  cli.io.stdout.write(
    readySummary({
      cluster: name,
      status: result.status,
      dockerSocket: result.status.dockerSocket,
      state: already
        ? `is already ${result.status.phase}`
        : `is ready after ${formatElapsed(process.uptime() * 1000)}`,
      typed: instanceTypist(cli),
      checkout: wrapperFolder(cli),
      hostKubectl: await hostKubectl(cli, already || result.inKubeconfig),
      foreground: !already && foreground,
    }),
  );
}

/** Leaves a cluster that was started, or stays with it in the foreground until it ends. */
export async function stayOrDetach(
  context: InstanceContext,
  result: StartResult,
  { foreground, joinFile }: { foreground: boolean; joinFile?: string | undefined },
): Promise<void> {
  if (result.state === 'already-running') return;
  if (!foreground) return result.launcher.detach();
  const waits = [keepUp(context, result.launcher)];
  if (joinFile !== undefined) waits.push(offerJoining(context, result.launcher, joinFile));
  await Promise.all(waits);
}

/** Stays until the launcher ends; an interruption stops it. */
async function keepUp({ env, name, signal }: InstanceContext, launcher: LauncherHandle): Promise<void> {
  await notifyReady(`cluster ${name} is Ready`, env);
  const stop = (): void => launcher.send({ type: 'stop' });
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const fault = await launcher.ended;
  signal.throwIfAborted();
  if (fault !== undefined) {
    throw new U7sError('launcher-ended', `the launcher of cluster ${name} ended unexpectedly: ${fault}`, {
      fixes: [u7s(['up'], { text: 'start it again' })],
    });
  }
}

async function offerJoining(context: InstanceContext, launcher: LauncherHandle, file: string): Promise<void> {
  const end = new AbortController();
  void launcher.ended.then(() => end.abort());
  await keepJoinFile({ ...context, signal: AbortSignal.any([context.signal, end.signal]) }, file);
}
