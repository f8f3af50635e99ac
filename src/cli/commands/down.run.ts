import type { Command } from 'commander';
import { down } from '../../instance/down.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export function run(cli: Cli, command: Command): Promise<void> {
  return withInstance(cli, command, async (context) => {
    if (!(await down(context))) cli.io.stderr.write(`cluster ${context.name} was not running\n`);
  });
}
