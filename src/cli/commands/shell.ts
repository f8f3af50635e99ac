import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineShell: DefineCommand = (program, cli) => {
  const command = program
    .command('shell')
    .description("Run a shell or a command in the node's namespaces, where you are root over it")
    .argument('[command...]', 'what to run (default: $SHELL)')
    .passThroughOptions()
    .action(async (words: string[]) => {
      const { run } = await import('./shell.run.js');
      await run(cli, command, words);
    });
  addExamples(command, [
    ['u7s shell', 'look around'],
    ['u7s shell -- ctr -n k8s.io containers ls', "ask the node's containerd"],
    ['u7s shell -- ip route', 'see its network'],
  ]);
};
