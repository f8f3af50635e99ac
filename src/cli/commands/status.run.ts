import type { Command } from 'commander';
import { isWhole, statusReport } from '../../instance/status.js';
import type { Cli } from '../command.js';
import { exitDegraded, exitStopped } from '../exit-codes.js';
import { withInstance } from '../instance.js';
import { expiryWarnings, pressureWarnings, statusText } from '../status/status-text.js';

export function run(cli: Cli, command: Command, output: 'json' | 'wide' | undefined): Promise<void> {
  return withInstance(
    cli,
    command,
    async (context) => {
      const { stdout } = cli.io;
      const status = await statusReport(context);
      cli.exitCode = status === undefined ? exitStopped : isWhole(status) ? 0 : exitDegraded;
      if (output === 'json') {
        const stopped = { cluster: context.name, phase: 'stopped' };
        stdout.write(`${JSON.stringify(status ?? stopped, null, 2)}\n`);
      } else {
        stdout.write(
          status === undefined
            ? `cluster ${context.name}: stopped\n`
            : statusText(status, Date.now(), output === 'wide'),
        );
      }
      pressureWarnings(status ?? {}).forEach(context.report);
      expiryWarnings(status ?? { certificates: {} }, Date.now()).forEach(context.report);
    },
    { progress: 'plain' },
  );
}
