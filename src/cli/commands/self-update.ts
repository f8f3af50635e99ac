import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import type { SelfUpdateFlags } from './self-update.run.js';

export const defineSelfUpdate: DefineCommand = (program, cli) => {
  const update = program
    .command('self-update')
    .description('Replace what install.sh has installed by another bundle; clusters keep running')
    .option('--from <file or url>', 'the bundle; its sum is in a file of the same name with .sha256')
    .option('--sha256 <sum>', 'its sum, where there is no such file')
    .option('--rollback', 'back to the version before')
    .action(async (flags: SelfUpdateFlags) => {
      const { run } = await import('./self-update.run.js');
      await run(cli, flags);
    });
  addExamples(update, [
    [
      'u7s self-update --from https://example.com/usernetes-x86_64.tbz',
      'the new version is used from now on',
    ],
    ['u7s self-update --rollback', 'if it is worse'],
  ]);
};
