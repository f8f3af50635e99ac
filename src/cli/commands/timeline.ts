import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineTimeline: DefineCommand = (program, cli) => {
  const command = program
    .command('timeline')
    .description('Show how the last start went: each step and service, and what decided how long it took')
    .option('--output <file>', 'draw it as SVG into this file; - is stdout')
    .action(async ({ output }: { output?: string }) => {
      const { run } = await import('./timeline.run.js');
      await run(cli, command, output);
    });
  addExamples(command, [
    ['u7s timeline', 'as text'],
    ['u7s timeline --output start.svg', 'as a picture'],
  ]);
};
