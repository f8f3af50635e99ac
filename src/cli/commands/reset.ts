import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineReset: DefineCommand = (program, cli) => {
  const command = program
    .command('reset')
    .description(
      'Stop the cluster and remove its data: the next up makes a new one, with new certificates, from the same binaries. A node that has joined another cluster leaves it first',
    )
    .action(async () => {
      const { run } = await import('./reset.run.js');
      await run(cli, command);
    });
  addExamples(command, [['u7s reset && u7s up', 'begin anew']]);
};
