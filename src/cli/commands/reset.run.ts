import type { Command } from 'commander';
import { reset } from '../../instance/reset.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export function run(cli: Cli, command: Command): Promise<void> {
  return withInstance(cli, command, async (context) => {
    await reset(context);
    cli.io.stderr.write(`cluster ${context.name} is empty\n`);
  });
}
