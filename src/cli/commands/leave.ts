import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineLeave: DefineCommand = (program, cli) => {
  const command = program
    .command('leave')
    .description('Take this node out of the cluster that it has joined, and remove its data')
    .action(async () => {
      const { run } = await import('./leave.run.js');
      await run(cli, command);
    });
  addExamples(command, [['u7s leave', 'its pods come back on other nodes']]);
};
