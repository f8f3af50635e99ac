import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { statusReport } from '../../instance/status.js';
import type { Cli } from '../command.js';
import { exitStopped } from '../exit-codes.js';
import { withInstance } from '../instance.js';
import { statusText } from '../status/status-text.js';

const refreshMs = 2_000;

/** ECMA-48 and xterm: the alternate screen, the cursor at the top, erase to the end of the line and of the screen. */
const screen = {
  enter: '\x1b[?1049h\x1b[?25l',
  leave: '\x1b[?25h\x1b[?1049l',
  home: '\x1b[H',
  endOfLine: '\x1b[K',
  below: '\x1b[J',
};

export function run(cli: Cli, command: Command): Promise<void> {
  return withInstance(cli, command, async (context) => {
    const { stdout } = cli.io;
    const look = async (...sampleMs: [number?]): Promise<string | undefined> => {
      const report = await statusReport(context, ...sampleMs);
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
    stdout.write(text ?? `cluster ${context.name}: stopped\n`);
    if (text === undefined) cli.exitCode = exitStopped;
  });
}
