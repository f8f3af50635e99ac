import { Option } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineVersion: DefineCommand = (program, cli) => {
  const command = program
    .command('version')
    .description('Print the versions of u7s, of Node.js and of the components that it brings')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action(async ({ output }: { output?: 'json' }) => {
      const { run } = await import('./version.run.js');
      run(cli, output);
    });
  addExamples(command, [
    ['u7s version', 'a table'],
    ['u7s version -o json', 'for programs'],
  ]);
};
