import type { Command } from 'commander';
import { helm } from '../../instance/programs/helm.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';
import { passThrough } from '../pass-through.js';
import { takeCluster } from '../wrapped.js';

export async function run(cli: Cli, command: Command): Promise<void> {
  const { cluster, args } = takeCluster(command.args);
  const invocation = await withInstance(cli, command, (context) => helm(context, args), {
    name: cluster,
    progress: 'plain',
  });
  cli.exitCode = await passThrough(invocation);
}
