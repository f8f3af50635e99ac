import { step } from '../../lib/events.js';
import type { DefineCommand } from '../command.js';
import { openReporter, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineNode: DefineCommand = (program, cli) => {
  const node = program.command('node').description('Manage the nodes of the cluster, on its control plane');
  const remove = node
    .command('rm')
    .description('take nodes out: their pods end in order and come back elsewhere')
    .argument('<names...>', 'which, as u7s kubectl get nodes shows them')
    .action(async (names: string[]) => {
      const [{ adminClient }, { removeNode, requireOther }, { instanceStatus }] = await Promise.all([
        import('../../instance/admin-client.js'),
        import('../../membership/remove-node.js'),
        import('../../launcher/client.js'),
      ]);
      const paths = await selectedPaths(cli, remove);
      const { report, close } = await openReporter(cli, remove);
      const client = await adminClient(cli, paths);
      try {
        const own = (await instanceStatus(paths.controlSocket, cli.signal))?.nodeName;
        for (const name of names) {
          requireOther(name, own);
          await step(report, `node/${name}`, `removal of node ${name}`, (progress) =>
            removeNode(client, name, progress, cli.signal),
          );
          cli.io.stdout.write(`node ${name} removed\n`);
        }
      } finally {
        client.close();
        close();
      }
    });
  addExamples(node, [['u7s node rm u7s-second', 'also one whose host is gone for good']]);
};
