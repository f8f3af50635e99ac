import { Argument } from 'commander';
import type { DefineCommand } from '../command.js';
import type { Shell } from '../completion/script.js';
import { addExamples } from '../help.js';

export const defineCompletion: DefineCommand = (program, cli) => {
  const command = program
    .command('completion')
    .description('Print a script that completes u7s commands in a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: Shell) => {
      const { run } = await import('./completion.run.js');
      run(cli, program, shell);
    });
  addExamples(command, [
    ['source <(u7s completion bash)', 'in this shell; put it into ~/.bashrc for all'],
    ['source <(u7s completion zsh)', 'the same for zsh, after compinit'],
    ['u7s completion fish | source', 'the same for fish'],
  ]);
};
