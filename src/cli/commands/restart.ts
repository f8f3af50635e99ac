import type { DefineCommand } from '../command.js';
import { globalOptions, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineRestart: DefineCommand = (program, cli) => {
  const command = program
    .command('restart')
    .description(
      'Stop one service, or the whole node, and start it again; returns when it is ready. Data stays',
    )
    .argument('[service]', 'which one (default: all, with the namespaces they live in)')
    .action(async (service: string | undefined) => {
      const { cluster } = globalOptions(cli, command);
      const paths = await selectedPaths(cli, command);
      const { restartInstance } = await import('../../launcher/client.js');
      await restartInstance(paths.controlSocket, service, cli.signal);
      cli.io.stderr.write(`${service ?? `cluster ${cluster}`} restarted\n`);
    });
  addExamples(command, [
    ['u7s restart kubelet', 'one service; those that use it go on'],
    ['u7s restart', 'everything, its pods too'],
  ]);
};
