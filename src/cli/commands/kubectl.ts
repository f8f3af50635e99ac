import type { DefineCommand } from '../command.js';

export const defineKubectl: DefineCommand = (program, cli) => {
  const command = program
    .command('kubectl')
    .description('Run kubectl as the administrator of the cluster; all arguments are passed on')
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async () => {
      const { run } = await import('./kubectl.run.js');
      await run(cli, command);
    });
};
