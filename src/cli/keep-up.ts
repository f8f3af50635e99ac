import type { LauncherHandle } from '../launcher/handle.js';
import type { UpResult } from '../instance/up.js';
import { U7sError } from '../lib/errors.js';
import { hostKubectl, wrapperFolder } from './as-root/checkout.js';
import type { Cli } from './command.js';

/** Tells that the cluster is there and what to type next. */
export async function tellReady(
  cli: Cli,
  cluster: string,
  result: UpResult,
  { dockerSocket, foreground }: { dockerSocket: string; foreground: boolean },
): Promise<void> {
  const [{ readySummary }, { formatElapsed }] = await Promise.all([
    import('./status/ready-summary.js'),
    import('../ui/renderer.js'),
  ]);
  const already = result.state === 'already-running';
  cli.io.stdout.write(
    readySummary({
      cluster,
      status: result.status,
      dockerSocket: result.status.dockerSocket === undefined ? undefined : dockerSocket,
      state: already
        ? `is ${result.status.phase} already`
        : `is ready after ${formatElapsed(process.uptime() * 1000)}`,
      checkout: wrapperFolder(cli),
      hostKubectl: await hostKubectl(cli, already || result.inKubeconfig),
      foreground: !already && foreground,
    }),
  );
}

/** Stays with a cluster in the foreground until it ends; an interruption stops it. */
export async function keepUp(cli: Cli, cluster: string, launcher: LauncherHandle): Promise<void> {
  const { notifyReady } = await import('../host/systemd.js');
  await notifyReady(`cluster ${cluster} is Ready`, cli.io.env);
  const stop = (): void => launcher.send({ type: 'stop' });
  cli.signal.addEventListener('abort', stop, { once: true });
  if (cli.signal.aborted) stop();
  const fault = await launcher.ended;
  cli.signal.throwIfAborted();
  if (fault !== undefined)
    throw new U7sError('todo', `the launcher ended unexpectedly: ${fault}`, { fixes: ['start it again'] });
}
