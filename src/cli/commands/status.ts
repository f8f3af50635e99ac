import { Option } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineStatus: DefineCommand = (program, cli) => {
  const command = program
    .command('status')
    .description('Show the cluster and its services; exits 3 when it is stopped, 1 when it is degraded')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json', 'wide']))
    .action(async ({ output }: { output?: 'json' | 'wide' }) => {
      const { run } = await import('./status.run.js');
      await run(cli, command, output);
    });
  addExamples(command, [
    ['u7s status', 'services, node, ports'],
    ['u7s status -o wide', 'also every certificate'],
    ['u7s status -o json', 'for scripts'],
  ]);
};
