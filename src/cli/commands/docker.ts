import type { Command } from 'commander';
import type { Paths } from '../../settings/paths.js';
import { U7sError } from '../../lib/errors.js';
import type { Cli, DefineCommand } from '../command.js';
import { globalOptions, pathsOfCluster } from '../globals.js';
import { passThrough } from '../pass-through.js';
import { takeCluster } from '../wrapped.js';

export const defineDocker: DefineCommand = (program, cli) => {
  const command = program
    .command('docker')
    .description("Run docker against the cluster's dockerd; everything after the word is its own")
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async () => {
      cli.exitCode = await docker(cli, command);
    });
};

async function docker(cli: Cli, command: Command): Promise<number> {
  const { cluster, args } = takeCluster(command.args);
  cli.cluster = cluster ?? globalOptions(cli, command).cluster;
  const paths = await pathsOfCluster(cli, cli.cluster);
  const [{ clusterArtifacts }, { readRemembered }] = await Promise.all([
    import('../../instance/artifacts.js'),
    import('../../settings/remembered.js'),
  ]);
  const remembered = await readRemembered(paths.remembered);
  if (needsDaemon(args)) await requireDaemon(cli, paths, remembered);
  const artifacts = await clusterArtifacts(cli, remembered, ['docker']);
  const binary = artifacts.get('docker')?.binaries.docker;
  if (binary === undefined) throw new U7sError('todo', 'the docker artifact has no docker');
  const { DOCKER_CONTEXT: _, ...env } = cli.io.env;
  return passThrough({ command: binary, args, env: { ...env, DOCKER_HOST: `unix://${paths.dockerSocket}` } });
}

async function requireDaemon(
  cli: Cli,
  paths: Paths,
  remembered: { preset: string; runtime: string } | undefined,
): Promise<void> {
  if (remembered !== undefined && remembered.runtime !== 'docker') {
    throw new U7sError('todo', `cluster ${cli.cluster} is ${remembered.preset}, which has no dockerd`, {
      fixes: ['start another cluster beside it: ./run.sh --cluster NAME default-docker'],
    });
  }
  // In the node's namespaces the host's process IDs mean nothing.
  if (cli.io.env.ROOTLESSKIT_STATE_DIR) return;
  const { namespacePid } = await import('../../rootless/nsenter.js');
  await namespacePid(paths.childPid);
}

const localVerbs = new Set([undefined, 'help', 'completion', 'context']);

/** Whether docker will talk to dockerd. */
export function needsDaemon(args: readonly string[]): boolean {
  if (args.some((arg) => ['--help', '-h', '-v', '--version'].includes(arg))) return false;
  return !localVerbs.has(args.find((arg) => !arg.startsWith('-')));
}
