import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineTop: DefineCommand = (program, cli) => {
  const command = program
    .command('top')
    .description(
      'Watch the cluster and what its services and pods use, until Ctrl-C; without a terminal, print it once',
    )
    .action(async () => {
      const { run } = await import('./top.run.js');
      await run(cli, command);
    });
  addExamples(command, [['u7s top', 'processor and memory of each service and pod, every 2 s']]);
};
