import type { DefineCommand } from '../command.js';
import { globalOptions, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineReset: DefineCommand = (program, cli) => {
  const command = program
    .command('reset')
    .description(
      'Stop the cluster and empty it: the next up makes a new one, with new certificates, from the same binaries',
    )
    .action(async () => {
      const { cluster } = globalOptions(cli, command);
      const paths = await selectedPaths(cli, command);
      const [{ installedRootlessKit, removeAll, resetPlan }, { stopCluster }] = await Promise.all([
        import('../../cluster/cleanup.js'),
        import('../../cluster/control.js'),
      ]);
      await stopCluster(paths.controlSocket, cli.signal);
      const rootlesskit = await installedRootlessKit(paths);
      await removeAll(await resetPlan(paths), { rootlesskit, home: paths.home, signal: cli.signal });
      cli.io.stderr.write(`cluster ${cluster} is empty\n`);
    });
  addExamples(command, [['u7s reset && u7s up', 'begin anew']]);
};
