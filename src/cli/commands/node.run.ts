import type { Command } from 'commander';
import { removeNodes } from '../../instance/remove-nodes.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export function run(cli: Cli, command: Command, names: readonly string[]): Promise<void> {
  return withInstance(cli, command, (context) =>
    removeNodes(context, names, (name) => void cli.io.stdout.write(`node ${name} removed\n`)),
  );
}
