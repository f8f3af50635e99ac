import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineRestart: DefineCommand = (program, cli) => {
  const command = program
    .command('restart')
    .description(
      'Stop one service, or the whole node, and start it again; returns when it is ready. Data stays',
    )
    .argument('[service]', 'which one (default: all, with the namespaces they run in)')
    .action(async (service: string | undefined) => {
      const { run } = await import('./restart.run.js');
      await run(cli, command, service);
    });
  addExamples(command, [
    ['u7s restart kubelet', 'one service; those that use it keep running'],
    ['u7s restart', 'everything, including its pods'],
  ]);
};
