import type { Command } from 'commander';
import { restart } from '../../instance/restart.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export function run(cli: Cli, command: Command, service: string | undefined): Promise<void> {
  return withInstance(cli, command, async (context) => {
    await restart(context, service);
    cli.io.stderr.write(`${service ?? `cluster ${context.name}`} restarted\n`);
  });
}
