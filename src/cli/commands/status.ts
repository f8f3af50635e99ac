import { Option } from 'commander';
import type { DefineCommand } from '../command.js';
import { globalOptions, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

/** Exit codes a script can rely on. */
const exitDegraded = 1;
export const exitStopped = 3;

export const defineStatus: DefineCommand = (program, cli) => {
  const command = program
    .command('status')
    .description('Show the cluster and its services; exits 3 when it is stopped, 1 when it is not whole')
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(['json', 'wide']))
    .action(async ({ output }: { output?: 'json' | 'wide' }) => {
      const cluster = globalOptions(cli, command).cluster;
      const paths = await selectedPaths(cli, command);
      const [{ isWhole, statusReport }, { expiryWarnings, statusText }] = await Promise.all([
        import('../../instance/status.js'),
        import('../status/status-text.js'),
      ]);
      const { stdout, stderr } = cli.io;
      const report = await statusReport(paths, cli.signal);
      cli.exitCode = report === undefined ? exitStopped : isWhole(report) ? 0 : exitDegraded;
      if (output === 'json') {
        stdout.write(`${JSON.stringify(report ?? { cluster, phase: 'stopped' }, null, 2)}\n`);
      } else {
        stdout.write(
          report === undefined
            ? `cluster ${cluster}: stopped\n`
            : statusText(report, Date.now(), output === 'wide'),
        );
      }
      for (const text of expiryWarnings(report?.certificates ?? {}, Date.now()))
        stderr.write(`warning: ${text}\n`);
    });
  addExamples(command, [
    ['u7s status', 'services, node, ports'],
    ['u7s status -o wide', 'also every certificate'],
    ['u7s status -o json', 'for scripts'],
  ]);
};
