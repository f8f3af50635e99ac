import type { DefineCommand } from '../command.js';

export const defineHelm: DefineCommand = (program, cli) => {
  const command = program
    .command('helm')
    .description('Run helm as the administrator of the cluster; all arguments are passed on')
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async () => {
      const { run } = await import('./helm.run.js');
      await run(cli, command);
    });
};
