import { Option, type Command } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineAddon: DefineCommand = (program, cli) => {
  const addon = program
    .command('addon')
    .description('Add to the cluster, by one word, what not every cluster needs');
  addExamples(addon, [
    ['u7s addon list', 'what there is, what it costs, and how it stands here'],
    ['u7s addon enable ingress', 'Ingress and Gateway API, now and at each start'],
    ['u7s addon disable ingress', 'remove all that it has made'],
    ['u7s up --addon ingress -d', 'a cluster that has it from the start'],
  ]);
  addon
    .command('list')
    .description('Show every add-on, its state and what it costs')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action(async ({ output }: { output?: 'json' }, self: Command) => {
      const run = await import('./addon.run.js');
      await run.list(cli, self, output);
    });
  addon
    .command('enable')
    .description('Add it to this cluster and wait until it works; later starts have it, too')
    .argument('<name>', 'as u7s addon list shows it')
    .action(async (name: string, _options: unknown, self: Command) => {
      const run = await import('./addon.run.js');
      await run.enable(cli, self, name);
    });
  addon
    .command('disable')
    .description('Remove all that it has made')
    .argument('<name>', 'as u7s addon list shows it')
    .action(async (name: string, _options: unknown, self: Command) => {
      const run = await import('./addon.run.js');
      await run.disable(cli, self, name);
    });
};
