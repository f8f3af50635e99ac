import { Option } from 'commander';
import type { Command } from 'commander';
import { clusterPaths, defaultCluster, namePattern } from '../settings/paths.js';
import type { Paths } from '../settings/paths.js';
import { resolveUserDirs } from '../host/user-dirs.js';
import { UsageError } from '../lib/errors.js';
import type { ProgressMode, Reporter } from '../ui/reporter.js';
import type { Cli } from './command.js';
import { fixText } from './typist.js';

/** What every command understands, before or after its name. */
export type GlobalOptions = { cluster: string; verbose: boolean; quiet: boolean; progress: ProgressMode };

/** Without defaults: an option's default on the program would hide the value given after the verb. */
export function createGlobalOptions(): Option[] {
  return [
    new Option('--cluster <name>', 'which cluster (default: $U7S_CLUSTER, or "default")'),
    new Option('-v, --verbose', 'say more, also about errors'),
    new Option('-q, --quiet', 'say nothing but warnings and errors'),
    new Option('--progress <how>', 'how to show progress (default: auto)').choices([
      'auto',
      'tty',
      'plain',
      'json',
    ]),
  ];
}

/** Commands all of whose arguments are those of the program they wrap; for them the options stand before the verb. */
export const wrappers: ReadonlySet<string> = new Set(['kubectl', 'helm', 'docker']);

export function globalOptions(cli: Cli, command: Command): GlobalOptions {
  const given = command.optsWithGlobals<Partial<GlobalOptions>>();
  return {
    cluster: checkedClusterName(given.cluster ?? (cli.io.env.U7S_CLUSTER || defaultCluster)),
    verbose: given.verbose ?? false,
    quiet: given.quiet ?? false,
    progress: given.progress ?? 'auto',
  };
}

/** The paths of the cluster that the command line means. */
export async function selectedPaths(cli: Cli, command: Command): Promise<Paths> {
  cli.cluster = globalOptions(cli, command).cluster;
  return pathsOfCluster(cli, cli.cluster);
}

export async function pathsOfCluster(cli: Cli, cluster: string): Promise<Paths> {
  return clusterPaths(
    await resolveUserDirs(cli.io.env, process.getuid?.() ?? 0),
    checkedClusterName(cluster),
  );
}

/** The reporter that the command line asks for. The caller closes it. */
export async function openReporter(cli: Cli, command: Command): Promise<Reporter> {
  const { createReporter } = await import('../ui/reporter.js');
  const { progress, quiet, verbose } = globalOptions(cli, command);
  return createReporter(cli.io, {
    mode: progress,
    quiet,
    verbose,
    fixText: (fix) => fixText(cli, fix),
  });
}

/** The name becomes a part of paths. */
function checkedClusterName(name: string): string {
  if (namePattern.test(name)) return name;
  throw new UsageError(
    'cluster-name',
    `${JSON.stringify(name)} cannot be a cluster's name`,
    'use lower-case letters, digits and dashes, at most 40',
  );
}
