import { step } from '../../lib/events.js';
import type { DefineCommand } from '../command.js';
import { globalOptions, openReporter, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineDown: DefineCommand = (program, cli) => {
  const command = program
    .command('down')
    .description('Stop the cluster; its data stays')
    .action(async () => {
      const name = globalOptions(cli, command).cluster;
      const paths = await selectedPaths(cli, command);
      const [{ stopInstance }, { removeStaleRuntime }, { stillRunning }, { isServed }] = await Promise.all([
        import('../../launcher/client.js'),
        import('../../instance/removal.js'),
        import('../../launcher/diagnosis.js'),
        import('../../supervisor/control-socket.js'),
      ]);
      if (!(await isServed(paths.controlSocket))) {
        await removeStaleRuntime(paths);
        cli.io.stderr.write(`cluster ${name} was not running\n`);
        return;
      }
      const { report, close } = await openReporter(cli, command);
      try {
        await step(report, 'stop', `stop of cluster ${name}`, async (progress) => {
          await stopInstance(paths.controlSocket, cli.signal, ({ services }) =>
            progress(`waiting for ${stillRunning(services)}`),
          );
          progress('');
        });
        await removeStaleRuntime(paths);
      } finally {
        close();
      }
    });
  addExamples(command, [
    ['u7s down', 'what runs is stopped in order'],
    ['u7s --cluster second down', 'stop one cluster of several'],
  ]);
};
