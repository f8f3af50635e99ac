import { Option, type Command } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineConfig: DefineCommand = (program, cli) => {
  const config = program.command('config').description('Show, check and begin descriptions of a cluster');
  addExamples(config, [
    ['u7s config init > cluster.yaml', 'a description to begin with, every setting commented out'],
    ['u7s config validate cluster.yaml', 'check it against this instance, without starting anything'],
    ['u7s up --config cluster.yaml -d', 'start with it; later starts remember it'],
    ['u7s config view', 'what the next start uses'],
    ['u7s config forget httpsProxy', 'take the default again'],
  ]);
  config
    .command('init')
    .description('Print a description to begin with')
    .action(async () => {
      const run = await import('./config.run.js');
      run.init(cli);
    });
  config
    .command('view')
    .description('Show the settings that the next start uses, without passwords')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['yaml', 'json']).default('yaml'))
    .action(async ({ output }: { output: 'yaml' | 'json' }, self: Command) => {
      const run = await import('./config.run.js');
      await run.view(cli, self, output);
    });
  config
    .command('schema')
    .description('Print the JSON schema of descriptions, for editors')
    .action(async () => {
      const run = await import('./config.run.js');
      run.schema(cli);
    });
  config
    .command('validate')
    .description('Check a description against this instance')
    .argument('<file>', 'the description')
    .option('--preset <name>', 'for another preset than that of the instance')
    .action(async (file: string, { preset }: { preset?: string }, self: Command) => {
      const run = await import('./config.run.js');
      await run.validate(cli, self, file, preset);
    });
  config
    .command('forget')
    .description('Let the next start take the defaults of settings again')
    .argument('<setting...>', 'as docs/settings.md names them')
    .action(async (names: string[], _options: unknown, self: Command) => {
      const run = await import('./config.run.js');
      await run.forget(cli, self, names);
    });
};
