import { setTimeout as sleep } from 'node:timers/promises';
import type { DefineCommand } from '../command.js';
import { globalOptions, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';
import { exitStopped } from './status.js';

const refreshMs = 2_000;

/** ECMA-48 and xterm: the alternate screen, the cursor at the top, erase to the end of the line and of the screen. */
const screen = {
  enter: '\x1b[?1049h\x1b[?25l',
  leave: '\x1b[?25h\x1b[?1049l',
  home: '\x1b[H',
  endOfLine: '\x1b[K',
  below: '\x1b[J',
};

export const defineTop: DefineCommand = (program, cli) => {
  const command = program
    .command('top')
    .description('Watch the cluster and what its services use, until Ctrl-C; on no terminal, print it once')
    .action(async () => {
      const { cluster } = globalOptions(cli, command);
      const paths = await selectedPaths(cli, command);
      const [{ statusReport }, { statusText }] = await Promise.all([
        import('../../instance/status.js'),
        import('../status/status-text.js'),
      ]);
      const { stdout } = cli.io;
      const look = async (...sampleMs: [number?]): Promise<string | undefined> => {
        const report = await statusReport(paths, cli.signal, ...sampleMs);
        return report && statusText(report, Date.now(), false);
      };
      let text = await look();
      if (text !== undefined && stdout.isTTY === true) {
        stdout.write(screen.enter);
        try {
          while (text !== undefined) {
            stdout.write(`${screen.home}${text.replaceAll('\n', `${screen.endOfLine}\n`)}${screen.below}`);
            await sleep(refreshMs, undefined, { signal: cli.signal });
            text = await look(0);
          }
        } catch (error) {
          if (!cli.signal.aborted) throw error;
          return; // Ctrl-C is how one leaves it
        } finally {
          stdout.write(screen.leave);
        }
      }
      stdout.write(text ?? `cluster ${cluster}: stopped\n`);
      if (text === undefined) cli.exitCode = exitStopped;
    });
  addExamples(command, [['u7s top', 'processor and memory of each service, every 2 s']]);
};
