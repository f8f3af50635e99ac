import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import type { CleanupFlags } from './cleanup.run.js';

export const defineCleanup: DefineCommand = (program, cli) => {
  const command = program
    .command('cleanup')
    .description('Stop the cluster and remove everything of it, data included')
    .option('--dry-run', 'only list what would be removed')
    .option('--all', 'also the binaries, caches and launcher copies that all clusters of the user share')
    .option('--kubeconfig <file>', 'where the cluster was added (default: as kubectl finds it)')
    .action(async (flags: CleanupFlags) => {
      const { run } = await import('./cleanup.run.js');
      await run(cli, command, flags);
    });
  addExamples(command, [
    ['u7s cleanup --dry-run', 'see what it would remove'],
    ['u7s --cluster second cleanup', 'remove one cluster'],
    ['u7s cleanup --all', 'leave nothing in the home directory'],
  ]);
};
