import type { DefineCommand } from '../command.js';
import { selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';
import { duration } from '../options/values.js';

export const defineJoinCommand: DefineCommand = (program, cli) => {
  const command = program
    .command('join-command')
    .description('Print the line that makes another host a node of this cluster')
    .option('--ttl <duration>', 'how long it is good for, as 90s, 30m or 24h', duration, 24 * 3_600_000)
    .option('--reusable', 'any number of nodes may join by it; otherwise one')
    .action(async ({ ttl, reusable = false }: { ttl: number; reusable?: boolean }) => {
      const [paths, { invite }] = await Promise.all([
        selectedPaths(cli, command),
        import('../../instance/invite.js'),
      ]);
      cli.io.stdout.write(`${await invite(cli, paths, { ttl, reusable })}\n`);
      cli.io.stderr.write('to be typed on the other host; where u7s is not on the PATH it is bin/u7s.js\n');
    });
  addExamples(command, [
    ['u7s join-command', 'for one node, within a day'],
    ['u7s join-command --ttl 15m --reusable', 'for any number of nodes, within a quarter of an hour'],
  ]);
};
