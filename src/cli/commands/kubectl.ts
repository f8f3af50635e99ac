import { access } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Remembered } from '../../settings/remembered.js';
import type { Paths } from '../../settings/paths.js';
import { U7sError } from '../../lib/errors.js';
import { namespacePid } from '../../rootless/nsenter.js';
import type { Cli, DefineCommand } from '../command.js';
import { globalOptions, pathsOfCluster } from '../globals.js';
import { passThrough } from '../pass-through.js';
import { takeCluster } from '../wrapped.js';

export const defineKubectl: DefineCommand = (program, cli) => {
  const command = program
    .command('kubectl')
    .description('Run kubectl as the administrator of the cluster; everything after the word is its own')
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async () => {
      cli.exitCode = await kubectl(cli, command);
    });
};

async function kubectl(cli: Cli, command: Command): Promise<number> {
  const { cluster, args } = takeCluster(command.args);
  cli.cluster = cluster ?? globalOptions(cli, command).cluster;
  const paths = await pathsOfCluster(cli, cli.cluster);
  const [{ clusterArtifacts }, { readRemembered }] = await Promise.all([
    import('../../instance/artifacts.js'),
    import('../../settings/remembered.js'),
  ]);
  const remembered = await readRemembered(paths.remembered);
  if (needsCluster(args)) await requireCluster(cli, paths, remembered);
  const artifacts = await clusterArtifacts(cli, remembered, ['kubernetes']);
  const binary = artifacts.get('kubernetes')?.binaries.kubectl;
  if (binary === undefined) throw new U7sError('todo', 'the Kubernetes artifact has no kubectl');
  return passThrough({ command: binary, args, env: { ...cli.io.env, KUBECONFIG: paths.adminKubeconfig } });
}

async function requireCluster(cli: Cli, paths: Paths, remembered: Remembered | undefined): Promise<void> {
  if (remembered?.kubernetes === false) {
    throw new U7sError('todo', `cluster ${cli.cluster} is ${remembered.preset}, which has no Kubernetes`, {
      fixes: ['start another cluster beside it: ./run.sh --cluster NAME default-docker'],
    });
  }
  // In the node's namespaces the host's process IDs mean nothing.
  if (!cli.io.env.ROOTLESSKIT_STATE_DIR) await namespacePid(paths.childPid);
  await access(paths.adminKubeconfig).catch(async (cause: unknown) => {
    const { instanceStatus } = await import('../../launcher/client.js');
    const status = await instanceStatus(paths.controlSocket, cli.signal);
    if (status?.role === 'worker') {
      throw new U7sError('todo', `this node works for the control plane ${status.apiServer}`, {
        fixes: ['run kubectl on the host of that one'],
      });
    }
    throw new U7sError('todo', 'the cluster is only just starting', {
      fixes: ['wait for it: u7s status'],
      cause,
    });
  });
}

const localVerbs = new Set([undefined, 'help', 'options', 'completion', 'config', 'kustomize', 'plugin']);

/** Whether kubectl will talk to the API server. */
export function needsCluster(args: readonly string[]): boolean {
  if (args.some((arg) => arg === '--help' || arg === '-h' || arg === '--client')) return false;
  return !localVerbs.has(args.find((arg) => !arg.startsWith('-')));
}
