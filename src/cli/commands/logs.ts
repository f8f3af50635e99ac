import { once } from 'node:events';
import { InvalidArgumentError } from 'commander';
import { U7sError, UsageError } from '../../lib/errors.js';
import type { Cli, DefineCommand } from '../command.js';
import { selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';
import type { LogReader } from '../logs/reader.js';
import { parseSince } from '../logs/time.js';

type LogOptions = { follow?: true; tail?: number; since?: number };

export const defineLogs: DefineCommand = (program, cli) => {
  const command = program
    .command('logs')
    .description("Print the logs of the node's components, merged by time")
    .argument('[service...]', 'which ones (default: all, each line with the name before it)')
    .option('-f, --follow', 'go on with what is being written, until Ctrl-C')
    .option('--since <when>', 'only what is newer: 90s, 5m, 1h30m, 2d, or a time in RFC 3339', since)
    .option(
      '--tail <lines>',
      'only so many last lines of each (default: all of one, 10 of several; all with --since)',
      parseLines,
    )
    .action(async (names: string[], options: LogOptions) => {
      await printLogs(cli, (await selectedPaths(cli, command)).logs, names, options);
    });
  addExamples(command, [
    ['u7s logs', 'the last lines of every component'],
    ['u7s logs kube-apiserver --tail 50', 'of one'],
    ['u7s logs --since 5m launcher rootlesskit', 'what happened around the node itself'],
    ['u7s logs -f kubelet containerd', 'follow two'],
  ]);
};

async function printLogs(cli: Cli, directory: string, names: string[], options: LogOptions): Promise<void> {
  const [{ createLogReader, loggedServices, watchLogs }, { logPath }, merging] = await Promise.all([
    import('../logs/reader.js'),
    import('../../supervisor/log-file.js'),
    import('../logs/merge.js'),
  ]);
  const known = await loggedServices(directory);
  if (known.length === 0) {
    throw new U7sError('todo', `there are no logs in ${directory}`, {
      fixes: ['start the cluster: ./run.sh'],
    });
  }
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined)
    throw new UsageError('todo', `${JSON.stringify(wrong)} has no log`, `use one of ${known.join(', ')}`);

  const chosen = names.length > 0 ? [...new Set(names)] : known;
  const { since } = options;
  const tail = options.tail ?? (chosen.length > 1 && since === undefined ? 10 : undefined);
  const prefixed = names.length !== 1;
  const readers = new Map(chosen.map((name) => [name, createLogReader(logPath(directory, name))]));
  const changes = options.follow && watchLogs(directory, cli.signal);
  const prefixOf = createPrefixes(cli, chosen);

  const write = async (text: string | Buffer): Promise<void> => {
    if (!cli.io.stdout.write(text)) await once(cli.io.stdout, 'drain', { signal: cli.signal });
    cli.signal.throwIfAborted();
  };
  const print = (name: string, lines: Buffer): Promise<void> =>
    write(prefixed ? prefixLines(prefixOf(name), lines) : lines);

  /** All of a log: rotated files only where older lines may be asked for, and a last line without an end unless it is awaited. */
  async function* content(name: string, reader: LogReader): AsyncGenerator<Buffer> {
    if (since !== undefined) {
      for (const age of [2, 1]) yield* createLogReader(`${logPath(directory, name)}.${age}`).read();
    } else if (tail !== undefined) await reader.seekTail(tail);
    yield* reader.read();
    if (!changes && reader.rest().length > 0) yield Buffer.concat([reader.rest(), Buffer.from('\n')]);
  }

  const [only] = [...readers];
  if (readers.size === 1 && only !== undefined && since === undefined) {
    for await (const lines of content(...only)) if (lines.length > 0) await print(only[0], lines);
  } else {
    const now = new Date();
    const logs = [...readers].map(([name, reader]) =>
      merging.selectLines(merging.logLines(name, content(name, reader), now), since, tail),
    );
    for await (const { service, text } of merging.mergeByTime(logs))
      await write(`${prefixed ? prefixOf(service) : ''}${text}\n`);
  }

  if (!changes) return;
  for await (const name of changes) {
    // A component that starts only now belongs to "all".
    if (names.length === 0 && !readers.has(name))
      readers.set(name, createLogReader(logPath(directory, name)));
    for await (const lines of readers.get(name)?.read() ?? []) if (lines.length > 0) await print(name, lines);
  }
}

/** ECMA-48 colours that can be told apart on dark and on light ground. */
const colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** `[etcd] `, on a terminal each service in a colour of its own. */
function createPrefixes({ io }: Cli, names: readonly string[]): (name: string) => string {
  const coloured = io.stdout.isTTY === true && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb';
  const order = [...names];
  return (name) => {
    if (!coloured) return `[${name}] `;
    if (!order.includes(name)) order.push(name);
    return `\x1b[${colours[order.indexOf(name) % colours.length]}m[${name}]\x1b[39m `;
  };
}

function prefixLines(prefix: string, lines: Buffer): string {
  return lines.toString().replace(/^(?=[^])/gm, prefix);
}

function parseLines(value: string): number {
  if (/^\d+$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It must be a number of lines.');
}

function since(value: string): number {
  const time = parseSince(value, new Date());
  if (time !== undefined) return time;
  throw new InvalidArgumentError('Write it as 90s, 5m, 1h30m, 2d or 2026-11-23T07:00:00Z.');
}
