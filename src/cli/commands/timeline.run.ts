import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { timeline } from '../../instance/timeline.js';
import { U7sError, errnoOf } from '../../lib/errors.js';
import { u7s } from '../../lib/fixes.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';
import { timelineSvg } from '../timeline/svg.js';
import { timelineText } from '../timeline/text.js';

export function run(cli: Cli, command: Command, output: string | undefined): Promise<void> {
  return withInstance(cli, command, async (context) => {
    const { stdout, cwd } = cli.io;
    const recorded = await timeline(context);
    if (output === undefined) stdout.write(timelineText(recorded, stdout.columns ?? 100));
    else if (output === '-') stdout.write(timelineSvg(recorded));
    else await write(resolve(cwd, output), timelineSvg(recorded));
  });
}

async function write(path: string, content: string): Promise<void> {
  await writeFile(path, content).catch((cause: unknown) => {
    // Root's commands act as an ordinary user, who cannot write everywhere.
    throw new U7sError('not-writable', `cannot write ${path}: ${errnoOf(cause)}`, {
      fixes: [u7s(['timeline', '--output', '-'], { text: 'print it, and redirect that to a file' })],
      cause,
    });
  });
}
