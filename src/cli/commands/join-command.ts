import { Option } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import { duration } from '../options/values.js';
import type { JoinCommandFlags } from './join-command.run.js';

export const defineJoinCommand: DefineCommand = (program, cli) => {
  const command = program
    .command('join-command')
    .description('Print the command that makes another host a node of this cluster')
    .addOption(
      new Option('--ttl <duration>', 'how long the line is valid, for example 90s or 30m')
        .argParser(duration)
        .default(24 * 3_600_000, '24h'),
    )
    .option('--reusable', 'admit any number of nodes instead of one')
    .action(async (flags: JoinCommandFlags) => {
      const { run } = await import('./join-command.run.js');
      await run(cli, command, flags);
    });
  addExamples(command, [
    ['u7s join-command', 'for one node, within a day'],
    ['u7s join-command --ttl 15m --reusable', 'for any number of nodes, within a quarter of an hour'],
  ]);
};
