import type { Command } from 'commander';
import { uninstall } from '../../instance/uninstall.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export function run(cli: Cli, command: Command): Promise<void> {
  return withInstance(cli, command, async (context) => {
    const { file, name, removed } = await uninstall(context);
    cli.io.stderr.write(removed ? `removed ${file}\n` : `${name} was not installed\n`);
  });
}
