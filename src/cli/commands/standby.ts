import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

/** What Gen2's nodes run. */
const usualPreset = 'default-containerd';

export const defineStandby: DefineCommand = (program, cli) => {
  const command = program
    .command('standby')
    .description(
      'Prepare all that up and join need: check the host, get the binaries; start the cluster if there is one',
    )
    .argument('[preset]', 'what is to run', usualPreset)
    .option('--wait', 'stay until Ctrl-C, which stops the cluster if one was started meanwhile')
    .action(async (preset: string, { wait = false }: { wait?: boolean }) => {
      const { run } = await import('./standby.run.js');
      await run(cli, command, preset, wait);
    });
  addExamples(command, [
    ['u7s standby', 'check and download, before the network is cut or time matters'],
    ['u7s standby --wait', 'in a container, in which clusters are then started by docker exec'],
  ]);
};
