import type { Paths } from '../../cluster/paths.js';
import { messageOf, U7sError } from '../../lib/errors.js';
import { step, type Report } from '../../lib/events.js';
import type { Cli, DefineCommand } from '../command.js';
import { openReporter, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineLeave: DefineCommand = (program, cli) => {
  const command = program
    .command('leave')
    .description('Take this node out of the cluster it has joined, and remove its data')
    .action(async () => {
      const paths = await selectedPaths(cli, command);
      const { readIdentity } = await import('../../cluster/identity.js');
      const { controlPlane, nodeName } = (await readIdentity(paths.identity))?.settled ?? {};
      if (controlPlane === undefined || nodeName === undefined) {
        throw new U7sError(`cluster ${cli.cluster} has not joined another one`, {
          fix: 'to remove a cluster of your own: u7s cleanup',
        });
      }
      const { report, close } = await openReporter(cli, command);
      try {
        const isForgotten = await takeLeave(cli, paths, { controlPlane, nodeName }, report);
        await removeData(cli, paths);
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

/** Returns whether the control plane has heard of it. */
async function takeLeave(
  cli: Cli,
  paths: Paths,
  { controlPlane, nodeName }: { controlPlane: string; nodeName: string },
  report: Report,
): Promise<boolean> {
  const [{ removeNode }, { connectAsNode }] = await Promise.all([
    import('../../cluster/leave.js'),
    import('../../cluster/node-certificates.js'),
  ]);
  try {
    const node = await connectAsNode(controlPlane, paths.pki);
    await step(report, 'leave', `leave from ${controlPlane}`, (progress) =>
      removeNode(node, nodeName, progress, cli.signal),
    );
    node.close();
    return true;
  } catch (error) {
    cli.signal.throwIfAborted();
    report({ kind: 'warning', text: `the control plane could not be told: ${messageOf(error)}` });
    return false;
  }
}

async function removeData(cli: Cli, paths: Paths): Promise<void> {
  const [{ stopCluster }, { installedRootlessKit, removeAll, resetPlan }] = await Promise.all([
    import('../../cluster/control.js'),
    import('../../cluster/cleanup.js'),
  ]);
  await stopCluster(paths.controlSocket, cli.signal);
  const rootlesskit = await installedRootlessKit(paths);
  await removeAll(await resetPlan(paths), { rootlesskit, home: paths.home, signal: cli.signal });
}
