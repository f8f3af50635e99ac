import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineNode: DefineCommand = (program, cli) => {
  const node = program.command('node').description('Manage the nodes of the cluster, on its control plane');
  const remove = node
    .command('rm')
    .description('take nodes out: their pods end in order and come back elsewhere')
    .argument('<names...>', 'which, as u7s kubectl get nodes shows them')
    .action(async (names: string[]) => {
      const { run } = await import('./node.run.js');
      await run(cli, remove, names);
    });
  addExamples(node, [['u7s node rm u7s-second', 'also one whose host is gone for good']]);
};
