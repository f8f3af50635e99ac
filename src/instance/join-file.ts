import { readFile, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';
import { warningOf, type Report } from '../lib/events.js';
import { parseJoinLine, type JoinWords } from '../membership/join-line.js';
import type { InstanceContext } from './context.js';
import { joinCommand } from './join-command.js';

const minute = 60_000;
/** A line is valid for longer than until the next one, so that a node which has just read it can join by it. */
const line = { ttl: 15 * minute, renewEvery: 10 * minute, retryAfter: minute / 6 };

/** Keeps a line in `file` by which nodes may join, until the context's signal is aborted; then removes the file. */
export async function keepJoinFile(context: InstanceContext, file: string): Promise<void> {
  const { report, signal } = context;
  while (!signal.aborted) {
    const wait = await writeLine(context, file).then(
      () => line.renewEvery,
      (error: unknown) => {
        if (!signal.aborted) report(warningOf(error, `no node can join by ${file}: ${messageOf(error)}`));
        return line.retryAfter;
      },
    );
    await delay(wait, undefined, { signal }).catch(() => undefined);
  }
  await rm(file, { force: true }).catch(() => undefined);
}

async function writeLine(context: InstanceContext, file: string): Promise<void> {
  await writeFileAtomic(file, `${await joinCommand(context, { ttl: line.ttl, reusable: true })}\n`);
}

const pollMs = 250;

/** Waits until there is a line in `file`; `-` is `stdin`. */
export async function readJoinFile(
  file: string,
  stdin: Readable,
  report: Report,
  signal: AbortSignal,
): Promise<JoinWords> {
  if (file === '-') return parseJoinLine(await text(stdin), 'the standard input');
  for (let said = false; ; said = true) {
    const content = await readFile(file, 'utf8').catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw new U7sError('not-readable', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
    });
    if (content !== undefined) return parseJoinLine(content, file);
    if (!said)
      report({ kind: 'note', text: `there is no ${file} yet: waiting for the control plane to write it` });
    await delay(pollMs, undefined, { signal });
  }
}
