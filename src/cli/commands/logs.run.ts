import { once } from 'node:events';
import type { Command } from 'commander';
import { U7sError, UsageError } from '../../lib/errors.js';
import { u7s } from '../../lib/fixes.js';
import { visible } from '../../lib/visible.js';
import { auditLog } from '../../services/audit.js';
import { logPath, olderLogs } from '../../supervisor/log-file.js';
import type { Cli } from '../command.js';
import { selectedPaths } from '../globals.js';
import { logLines, mergeByTime, selectLines } from '../logs/merge.js';
import { createLogReader, loggedServices, watchLogs, wholeLog, type LogReader } from '../logs/reader.js';

/** Not among all logs: it would bury them, and nobody looks there for what a component has to say. */
const onRequest: ReadonlySet<string> = new Set([auditLog]);

export type LogOptions = { follow?: true; tail?: number; since?: number };

export async function run(
  cli: Cli,
  command: Command,
  names: readonly string[],
  options: LogOptions,
): Promise<void> {
  const { logs: directory } = await selectedPaths(cli, command);
  const known = await loggedServices(directory);
  if (known.length === 0) {
    throw new U7sError('never-started', `there are no logs in ${directory}`, {
      fixes: [u7s(['up', '-d'], { text: 'start the cluster' })],
    });
  }
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined) {
    throw new UsageError(
      'no-such-service',
      `${JSON.stringify(wrong)} has no log`,
      `use one of ${known.join(', ')}`,
    );
  }

  const chosen = names.length > 0 ? [...new Set(names)] : known.filter((name) => !onRequest.has(name));
  const { since } = options;
  const tail = options.tail ?? (chosen.length > 1 && since === undefined ? 10 : undefined);
  const prefixed = names.length !== 1;
  const readers = new Map(chosen.map((name) => [name, createLogReader(logPath(directory, name))]));
  const changes = options.follow && watchLogs(directory, cli.signal);
  const prefixOf = createPrefixes(cli, chosen);

  const write = async (text: string): Promise<void> => {
    if (!cli.io.stdout.write(text)) await once(cli.io.stdout, 'drain', { signal: cli.signal });
    cli.signal.throwIfAborted();
  };
  // A file gets what the log has.
  const shown = (text: string): string => (cli.io.stdout.isTTY === true ? visible(text) : text);
  const print = (name: string, lines: Buffer): Promise<void> => {
    const text = shown(lines.toString());
    return write(prefixed ? prefixLines(prefixOf(name), text) : text);
  };

  /** All of a log: rotated files only where older lines may be asked for, and a last line without an end unless it is awaited. */
  async function* content(name: string, reader: LogReader): AsyncGenerator<Buffer> {
    if (since !== undefined) {
      for (const path of await olderLogs(directory, name)) yield* wholeLog(path);
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
      selectLines(logLines(name, content(name, reader), now), since, tail),
    );
    for await (const { service, text } of mergeByTime(logs))
      await write(`${prefixed ? prefixOf(service) : ''}${shown(text)}\n`);
  }

  if (!changes) return;
  for await (const name of changes) {
    // A component that starts only now belongs to "all".
    if (names.length === 0 && !readers.has(name) && !onRequest.has(name))
      readers.set(name, createLogReader(logPath(directory, name)));
    for await (const lines of readers.get(name)?.read() ?? []) if (lines.length > 0) await print(name, lines);
  }
}

/** ECMA-48 colours that are distinct on a dark and on a light background. */
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

function prefixLines(prefix: string, lines: string): string {
  return lines.replace(/^(?=[^])/gm, prefix);
}
