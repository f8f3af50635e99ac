import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Timeline } from '../../instance/timeline.js';
import { U7sError, errnoOf } from '../../lib/errors.js';
import type { DefineCommand } from '../command.js';
import { selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineTimeline: DefineCommand = (program, cli) => {
  const command = program
    .command('timeline')
    .description('Show how the last start went: each step and service, and what decided how long it took')
    .option('--output <file>', 'draw it as SVG into this file; - is stdout')
    .action(async ({ output }: { output?: string }) => {
      const { stdout, cwd } = cli.io;
      const timeline = await readTimeline((await selectedPaths(cli, command)).timeline);
      if (output === undefined) {
        const { timelineText } = await import('../timeline/text.js');
        stdout.write(timelineText(timeline, stdout.columns ?? 100));
        return;
      }
      const { timelineSvg } = await import('../timeline/svg.js');
      if (output === '-') stdout.write(timelineSvg(timeline));
      else await write(resolve(cwd, output), timelineSvg(timeline));
    });
  addExamples(command, [
    ['u7s timeline', 'as text'],
    ['u7s timeline --output start.svg', 'as a picture'],
  ]);
};

async function write(path: string, content: string): Promise<void> {
  await writeFile(path, content).catch((cause: unknown) => {
    // Root's commands act as an ordinary user, who cannot write everywhere.
    throw new U7sError('todo', `cannot write ${path}: ${errnoOf(cause)}`, {
      fixes: ['u7s timeline --output - > start.svg'],
      cause,
    });
  });
}

async function readTimeline(path: string): Promise<Timeline> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Timeline;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    throw new U7sError('todo', 'no start of this cluster has been recorded', {
      fixes: ['u7s up'],
      cause: error,
    });
  }
}
