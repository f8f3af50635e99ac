import { Argument } from 'commander';
import type { DefineCommand } from '../command.js';
import { gen2Verbs, type Gen2Verb } from '../make/gen2.js';

export const defineMake: DefineCommand = (program, cli) => {
  program
    .command('make')
    .description('Do what a verb of the Makefile of Usernetes’ second generation did; make VERB calls it')
    .addArgument(new Argument('<verb>', 'which').choices([...Object.keys(gen2Verbs), 'help']))
    .action(async (verb: Gen2Verb | 'help') => {
      const { run } = await import('./make.run.js');
      await run(cli, verb);
    });
};
