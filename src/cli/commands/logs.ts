import { InvalidArgumentError } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import { parseSince } from '../logs/time.js';
import type { LogOptions } from './logs.run.js';

export const defineLogs: DefineCommand = (program, cli) => {
  const command = program
    .command('logs')
    .description("Print the logs of the node's components, merged by time")
    .argument('[service...]', 'which ones (default: all but audit, each line preceded by the name)')
    .option('-f, --follow', 'keep printing what is written, until Ctrl-C')
    .option('--since <when>', 'only what is newer: 90s, 5m, 1h30m, 2d, or a time in RFC 3339', since)
    .option(
      '--tail <lines>',
      'only that many last lines of each (default: all of one, 10 of several; all with --since)',
      parseLines,
    )
    .action(async (names: string[], options: LogOptions) => {
      const { run } = await import('./logs.run.js');
      await run(cli, command, names, options);
    });
  addExamples(command, [
    ['u7s logs', 'the last lines of every component'],
    ['u7s logs kube-apiserver --tail 50', 'of one'],
    ['u7s logs --since 5m launcher rootlesskit', 'what happened around the node itself'],
    ['u7s logs -f kubelet containerd', 'follow two'],
    ['u7s logs audit --since 1h', 'who asked the API for what, one JSON object a line'],
  ]);
};

function parseLines(value: string): number {
  if (/^\d+$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It must be a number of lines.');
}

function since(value: string): number {
  const time = parseSince(value, new Date());
  if (time !== undefined) return time;
  throw new InvalidArgumentError('Write it like 90s, 5m, 1h30m, 2d or 2026-11-23T07:00:00Z.');
}
