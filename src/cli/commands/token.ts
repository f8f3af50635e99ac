import { Option } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineToken: DefineCommand = (program, cli) => {
  const token = program.command('token').description('List and revoke the tokens by which nodes may join');
  const list = token
    .command('list')
    .description('show which are valid, and for how long; never their secret')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action(async ({ output }: { output?: 'json' }) => {
      const run = await import('./token.run.js');
      await run.list(cli, list, output);
    });
  const revoke = token
    .command('revoke')
    .description('admit nobody by it any more; nodes that have joined stay')
    .argument('<tokens...>', 'each a whole token, or its part before the dot')
    .action(async (words: string[]) => {
      const run = await import('./token.run.js');
      await run.revoke(cli, revoke, words);
    });
  addExamples(token, [
    ['u7s token list', 'which tokens there are'],
    ['u7s token revoke abcdef', 'end one of them'],
  ]);
};
