import type { DefineCommand } from '../command.js';
import { globalOptions, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineUninstall: DefineCommand = (program, cli) => {
  const command = program
    .command('uninstall')
    .description('Undo install: stop the unit and remove it; the data of the cluster stays')
    .action(async () => {
      const [{ removeUnit, userUnit }, { instanceName }] = await Promise.all([
        import('../../host/systemd.js'),
        import('../../settings/paths.js'),
      ]);
      const { cluster } = globalOptions(cli, command);
      const unit = userUnit(instanceName(cluster), (await selectedPaths(cli, command)).configHome);
      const removed = await removeUnit(unit, cli.io.env);
      cli.io.stderr.write(removed ? `removed ${unit.file}\n` : `${unit.name} was not installed\n`);
    });
  addExamples(command, [['u7s uninstall', 'no longer start it at boot']]);
};
