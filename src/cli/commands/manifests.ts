import { Option } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineManifests: DefineCommand = (program, cli) => {
  const command = program
    .command('manifests')
    .description('Show what the cluster has of the files in your folder of manifests, and what it refused')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action(async ({ output }: { output?: 'json' }) => {
      const { run } = await import('./manifests.run.js');
      await run(cli, command, output);
    });
  addExamples(command, [
    ['cp web.yaml ~/.config/usernetes/manifests/', 'have it applied, now and at each start'],
    ['u7s manifests', 'what became of it'],
  ]);
};
