import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineKubeconfig: DefineCommand = (program, cli) => {
  const command = program
    .command('kubeconfig')
    .description("Print the administrator's kubeconfig")
    .option('--path', 'print where the file is')
    .action(async ({ path = false }: { path?: boolean }) => {
      const { run } = await import('./kubeconfig.run.js');
      await run(cli, command, path);
    });
  addExamples(command, [
    ['u7s kubeconfig > ~/.kube/config', 'for the kubectl that you have'],
    ['export KUBECONFIG=$(u7s kubeconfig --path)', 'the same for one shell'],
  ]);
};
