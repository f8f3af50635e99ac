import { setTimeout as delay } from 'node:timers/promises';
import type { Paths } from '../../settings/paths.js';
import type { Report } from '../../lib/events.js';
import type { Cli, DefineCommand } from '../command.js';
import { globalOptions, openReporter, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';
import { defaultTimeoutMs } from '../../instance/start.js';

/** What Gen2's nodes run. */
const usualPreset = 'default-containerd';

export const defineStandby: DefineCommand = (program, cli) => {
  const command = program
    .command('standby')
    .description(
      'Have all ready that up and join need: the host checked, the binaries there; start the cluster if there is one',
    )
    .argument('[preset]', 'what is to run', usualPreset)
    .option('--wait', 'stay until Ctrl-C, which stops the cluster if one was started meanwhile')
    .action(async (preset: string, { wait }: { wait?: true }) => {
      const { cluster } = globalOptions(cli, command);
      const paths = await selectedPaths(cli, command);
      const { report, close } = await openReporter(cli, command);
      try {
        const { readRemembered } = await import('../../settings/remembered.js');
        if ((await readRemembered(paths.remembered)) === undefined)
          await prepare(cli, cluster, paths, preset, report);
        else await startAgain(cli, cluster, paths, report);
        if (!wait) return;
        await interruption(cli.signal);
        const { stopInstance } = await import('../../launcher/client.js');
        await stopInstance(paths.controlSocket, new AbortController().signal);
        cli.signal.throwIfAborted();
      } finally {
        close();
      }
    });
  addExamples(command, [
    ['u7s standby', 'check and fetch, before the network is cut or time matters'],
    ['u7s standby --wait', 'in a container, in which clusters are then started by docker exec'],
  ]);
};

/** The longest that a timer takes; something must keep the process alive. */
const longestMs = 2 ** 31 - 1;

async function interruption(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await delay(longestMs, undefined, { signal }).catch(() => undefined);
}

async function prepare(
  cli: Cli,
  cluster: string,
  paths: Paths,
  preset: string,
  report: Report,
): Promise<void> {
  const [
    { resolveSettings },
    { hostCheck, hostOf },
    { artifactContext },
    { ensureArtifacts },
    { artifactsOf },
  ] = await Promise.all([
    import('../../settings/resolve.js'),
    import('../../instance/host-check.js'),
    import('../../instance/artifact-context.js'),
    import('../../artifacts/resolve.js'),
    import('../../plan/plan.js'),
  ]);
  const settings = await resolveSettings(cli, cluster, preset, {});
  await hostCheck(await hostOf(cli, settings, paths));
  const context = await artifactContext(cli, { artifacts: settings.artifacts, report });
  // As of a control plane that others join, which has the most.
  await ensureArtifacts(artifactsOf({ ...settings, hostIp: settings.hostIp ?? '127.0.0.1' }), context);
  report({ kind: 'note', text: 'this host is ready: u7s up, or u7s join' });
}

async function startAgain(cli: Cli, cluster: string, paths: Paths, report: Report): Promise<void> {
  const [{ startCluster }, { tellReady }] = await Promise.all([
    import('../../instance/start.js'),
    import('../keep-up.js'),
  ]);
  const result = await startCluster(
    cli,
    { cluster, paths },
    undefined,
    { timeout: defaultTimeoutMs },
    report,
  );
  await tellReady(cli, cluster, result, { dockerSocket: paths.dockerSocket, foreground: false });
  if (result.state === 'ready') result.launcher.detach();
}
