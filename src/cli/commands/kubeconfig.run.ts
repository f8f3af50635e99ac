import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { kubeconfigFile } from '../../instance/kubeconfig.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export function run(cli: Cli, command: Command, path: boolean): Promise<void> {
  return withInstance(cli, command, async (context) => {
    const file = await kubeconfigFile(context);
    cli.io.stdout.write(path ? `${file}\n` : await readFile(file, 'utf8'));
  });
}
