import { U7sError } from '../../lib/errors.js';
import type { DefineCommand } from '../command.js';
import { openReporter, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineLeave: DefineCommand = (program, cli) => {
  const command = program
    .command('leave')
    .description('Take this node out of the cluster it has joined, and remove its data')
    .action(async () => {
      const paths = await selectedPaths(cli, command);
      const { leaveCluster, membership } = await import('../../instance/leave.js');
      const joined = await membership(paths);
      if (joined === undefined) {
        throw new U7sError('todo', `cluster ${cli.cluster} has not joined another one`, {
          fixes: ['to remove a cluster of your own: u7s cleanup'],
        });
      }
      const { report, close } = await openReporter(cli, command);
      try {
        const isForgotten = await leaveCluster(cli, paths, joined, report);
        const { nodeName, controlPlane } = joined;
        cli.io.stdout.write(`node ${nodeName} has left ${controlPlane}; its data is removed\n`);
        if (!isForgotten) {
          cli.io.stderr.write(`that control plane still knows it; there: u7s node rm ${nodeName}\n`);
        }
      } finally {
        close();
      }
    });
  addExamples(command, [['u7s leave', 'its pods come back on other nodes']]);
};
