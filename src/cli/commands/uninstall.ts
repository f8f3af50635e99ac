import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineUninstall: DefineCommand = (program, cli) => {
  const command = program
    .command('uninstall')
    .description('Undo install: stop the unit and remove it; the data of the cluster stays')
    .action(async () => {
      const { run } = await import('./uninstall.run.js');
      await run(cli, command);
    });
  addExamples(command, [['u7s uninstall', 'no longer start it at boot']]);
};
