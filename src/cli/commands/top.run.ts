import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { podUsage } from '../../instance/pod-usage.js';
import { statusReport } from '../../instance/status.js';
import type { Cli } from '../command.js';
import { exitStopped } from '../exit-codes.js';
import { withInstance } from '../instance.js';
import { podTable } from '../status/pod-table.js';
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
      if (report === undefined) return undefined;
      const pods = await podUsage(context, report);
      const table = pods === undefined || pods.length === 0 ? '' : `\n${podTable(pods)}`;
      return statusText(report, Date.now(), false) + table;
    };
    let text = await look();
    if (text !== undefined && stdout.isTTY === true) {
      stdout.write(screen.enter);
      try {
        while (text !== undefined) {
          stdout.write(`${screen.home}${fitted(text, stdout.rows)}${screen.below}`);
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

/** As many lines as there are on the screen; more would scroll it. The pods that use little come last. */
function fitted(text: string, rows: number | undefined): string {
  const lines = text.trimEnd().split('\n');
  return lines.slice(0, rows).join(`${screen.endOfLine}\n`) + screen.endOfLine;
}
