import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import type { InstallFlags } from './install.run.js';

export const defineInstall: DefineCommand = (program, cli) => {
  const command = program
    .command('install')
    .description('Have systemd start the cluster at each boot, as a unit of this user')
    .argument('[up-arguments...]', 'as for up, its options after --')
    .option('--now', 'start it at once, too')
    .option('--dry-run', 'only print the unit')
    .action(async (upArguments: string[], flags: InstallFlags) => {
      const { run } = await import('./install.run.js');
      await run(cli, command, upArguments, flags);
    });
  addExamples(command, [
    ['u7s install', 'start the default cluster at each boot'],
    ['u7s --cluster second install --now -- --api-port 6444', 'another, with an option of up, and at once'],
    ['u7s install --dry-run', 'see the unit'],
  ]);
};
