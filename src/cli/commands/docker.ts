import type { DefineCommand } from '../command.js';

export const defineDocker: DefineCommand = (program, cli) => {
  const command = program
    .command('docker')
    .description("Run docker against the cluster's dockerd; all arguments are passed on")
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async () => {
      const { run } = await import('./docker.run.js');
      await run(cli, command);
    });
};
