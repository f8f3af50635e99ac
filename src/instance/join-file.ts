import { readFile, rm } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { Paths } from '../settings/paths.js';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';
import type { Report } from '../lib/events.js';
import type { Cli } from '../cli/command.js';
import { invite } from './invite.js';
import { parseJoinLine, type JoinWords } from '../membership/join-line.js';

const minute = 60_000;
/** A line is good for longer than until the next one, so that a node which has just read it can join by it. */
const line = { ttl: 15 * minute, renewEvery: 10 * minute, retryAfter: minute / 6 };

/** Keeps a line in `file` by which nodes may join, for as long as `signal` lets it; then there is no such file. */
export async function keepJoinFile(
  cli: Cli,
  paths: Paths,
  file: string,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const wait = await writeLine(cli, paths, file).then(
      () => line.renewEvery,
      (error: unknown) => {
        if (!signal.aborted)
          report({ kind: 'warning', text: `no node can join by ${file}: ${messageOf(error)}` });
        return line.retryAfter;
      },
    );
    await delay(wait, undefined, { signal }).catch(() => undefined);
  }
  await rm(file, { force: true }).catch(() => undefined);
}

async function writeLine(cli: Cli, paths: Paths, file: string): Promise<void> {
  await writeFileAtomic(file, `${await invite(cli, paths, { ttl: line.ttl, reusable: true })}\n`);
}

const pollMs = 250;

/** Waits until there is a line in `file`; `-` is what this command is given to read. */
export async function readJoinFile({ io, signal }: Cli, file: string, report: Report): Promise<JoinWords> {
  if (file === '-') return parseJoinLine(await text(io.stdin), 'what was read');
  for (let told = false; ; told = true) {
    const content = await readFile(file, 'utf8').catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw new U7sError('todo', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
    });
    if (content !== undefined) return parseJoinLine(content, file);
    if (!told)
      report({ kind: 'note', text: `there is no ${file} yet: waiting for the control plane to write it` });
    await delay(pollMs, undefined, { signal });
  }
}
