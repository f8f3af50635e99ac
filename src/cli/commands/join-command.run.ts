import type { Command } from 'commander';
import { joinCommand } from '../../instance/join-command.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export type JoinCommandFlags = { ttl: number; reusable?: boolean };

export function run(cli: Cli, command: Command, { ttl, reusable = false }: JoinCommandFlags): Promise<void> {
  return withInstance(cli, command, async (context) => {
    const { stdout, stderr } = cli.io;
    stdout.write(`${await joinCommand(context, { ttl, reusable })}\n`);
    stderr.write('type it on the other host; where u7s is not on the PATH, it is bin/u7s.js\n');
  });
}
