import type { Command } from 'commander';
import { leave } from '../../instance/leave.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export function run(cli: Cli, command: Command): Promise<void> {
  return withInstance(cli, command, async (context) => {
    const { nodeName, controlPlane } = await leave(context);
    cli.io.stdout.write(`node ${nodeName} has left ${controlPlane}; its data is removed\n`);
  });
}
