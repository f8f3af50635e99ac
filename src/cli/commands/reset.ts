import type { DefineCommand } from '../command.js';
import { globalOptions, openReporter, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineReset: DefineCommand = (program, cli) => {
  const command = program
    .command('reset')
    .description(
      'Stop the cluster and empty it: the next up makes a new one, with new certificates, from the same binaries. A node that has joined another leaves it first',
    )
    .action(async () => {
      const { cluster } = globalOptions(cli, command);
      const paths = await selectedPaths(cli, command);
      const { emptyCluster, leaveCluster, membership } = await import('../../instance/leave.js');
      const joined = await membership(paths);
      const { report, close } = await openReporter(cli, command);
      try {
        await (joined === undefined ? emptyCluster(cli, paths) : leaveCluster(cli, paths, joined, report));
      } finally {
        close();
      }
      cli.io.stderr.write(`cluster ${cluster} is empty\n`);
    });
  addExamples(command, [['u7s reset && u7s up', 'begin anew']]);
};
