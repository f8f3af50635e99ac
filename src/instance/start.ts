import type { Paths } from '../settings/paths.js';
import type { Settings } from '../settings/schema.js';
import type { UpResult } from './up.js';
import { dockerConfigFolder } from '../host/docker-context.js';
import type { NamespaceTrial } from '../host/namespace-trial.js';
import type { CheckContext } from '../host/preflight.js';
import type { Report } from '../lib/events.js';
import type { Cli } from '../cli/command.js';
import { defaultPreset } from '../settings/default-preset.js';
import type { SettingsFlags } from '../settings/resolve.js';

export type StartFlags = SettingsFlags & {
  /** Milliseconds until a cluster that is not Ready counts as failed. */
  timeout: number;
  retain?: boolean;
  kubeconfig?: string;
};

export const defaultTimeoutMs = 300_000;

/** Starts the cluster of `paths` as it was before, but for what `preset` and `flags` say. */
export async function startCluster(
  cli: Cli,
  { cluster, paths }: { cluster: string; paths: Paths },
  preset: string | undefined,
  flags: StartFlags,
  report: Report,
): Promise<UpResult> {
  const [
    { up },
    { readRemembered },
    { resolveSettings },
    { artifactContext },
    { hostOf },
    { freePortFinder },
  ] = await Promise.all([
    import('./up.js'),
    import('../settings/remembered.js'),
    import('../settings/resolve.js'),
    import('./artifact-context.js'),
    import('./host-check.js'),
    import('./node-ports.js'),
  ]);
  const before = await readRemembered(paths.remembered);
  const settings = await resolveSettings(cli, cluster, preset ?? before?.preset ?? defaultPreset, flags, {
    settled: before?.settled ?? {},
    ...(before === undefined ? {} : { artifactPaths: before.artifactPaths }),
    freePort: freePortFinder(report),
  });
  const host = await hostOf(cli, settings, paths);
  return up({
    settings,
    paths,
    projectRoot: cli.projectRoot,
    artifacts: await artifactContext(cli, {
      artifacts: settings.artifacts,
      given: settings.artifactPaths,
      report,
    }),
    checkHost: () => checkHost(cli, settings, paths, host, report),
    timeoutMs: flags.timeout,
    retain: flags.retain ?? false,
    kubeconfig: { explicit: flags.kubeconfig, env: cli.io.env['KUBECONFIG'] },
    dockerConfig: dockerConfigFolder(cli.io.env, paths.home),
    report,
    signal: cli.signal,
  });
}

async function checkHost(
  cli: Cli,
  settings: Settings,
  paths: Paths,
  host: CheckContext,
  report: Report,
): Promise<NamespaceTrial> {
  const [{ hostCheck }, { requireNodePorts }] = await Promise.all([
    import('./host-check.js'),
    import('./node-ports.js'),
  ]);
  const trial = await hostCheck(host);
  await requireNodePorts(settings);
  if (settings.controlPlane === undefined) return trial;
  const { requireMembership } = await import('../membership/join.js');
  await requireMembership(settings, paths, report, cli.signal);
  return trial;
}
