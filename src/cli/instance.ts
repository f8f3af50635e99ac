import type { Command } from 'commander';
import { join } from 'node:path';
import { dockerConfigFolder } from '../host/docker-context.js';
import type { InstanceContext } from '../instance/context.js';
import { createReporter, type ProgressMode } from '../ui/reporter.js';
import type { Cli } from './command.js';
import { globalOptions, pathsOfCluster } from './globals.js';
import { fixText } from './typist.js';

export type InstanceOptions = {
  /** Instead of the one that the command line names. */
  name?: string | undefined;
  /** Instead of what the command line asks for. */
  progress?: ProgressMode;
  /** Where the person's kubeconfig is, if the command line names it. */
  kubeconfig?: string | undefined;
};

/** Has `work` done on the instance that the command line names; its progress is shown until then. */
export async function withInstance<T>(
  cli: Cli,
  command: Command,
  work: (context: InstanceContext) => Promise<T>,
  { kubeconfig, ...options }: InstanceOptions = {},
): Promise<T> {
  const { io, projectRoot, signal } = cli;
  const { env } = io;
  const { cluster, progress, quiet, verbose } = globalOptions(cli, command);
  const name = (cli.cluster = options.name ?? cluster);
  const paths = await pathsOfCluster(cli, name);
  const mode = options.progress ?? progress;
  const { report, close } = createReporter(io, {
    mode,
    quiet,
    verbose,
    fixText: (fix) => fixText(cli, fix),
  });
  const entry = (name: string): string => join(projectRoot, 'dist/entries', name);
  try {
    return await work({
      name,
      paths,
      env,
      projectRoot,
      entries: {
        launch: entry('launch.js'),
        supervise: entry('supervise.js'),
        takeBackPorts: entry('take-back-ports.js'),
        registryCredentials: entry('registry-credentials.js'),
      },
      kubeconfig: { explicit: kubeconfig, env: env['KUBECONFIG'] },
      dockerConfig: dockerConfigFolder(env, paths.home),
      report,
      signal,
    });
  } finally {
    close();
  }
}
