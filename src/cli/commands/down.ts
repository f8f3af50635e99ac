import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineDown: DefineCommand = (program, cli) => {
  const command = program
    .command('down')
    .description('Stop the cluster; its data stays')
    .action(async () => {
      const { run } = await import('./down.run.js');
      await run(cli, command);
    });
  addExamples(command, [
    ['u7s down', 'stop all that runs, in order'],
    ['u7s --cluster second down', 'stop one cluster of several'],
  ]);
};
