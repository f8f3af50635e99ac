import { InvalidArgumentError, Option, type Command } from 'commander';
import { defaultPreset } from '../../settings/default-preset.js';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import type { BundleFlags } from './bundle.run.js';

const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

export const defineBundle: DefineCommand = (program, cli) => {
  const bundle = program
    .command('bundle')
    .description('Make an archive that needs nothing else, not even Node.js');
  addExamples(bundle, [
    ['u7s bundle create -o usernetes-x86_64.tbz', 'all that the default preset needs'],
    ['u7s bundle create --preset default-docker -o usernetes.tar.zst', 'of another preset'],
    ['tar xjf usernetes-x86_64.tbz && cd usernetes && ./run.sh', 'what its user does'],
  ]);
  const create = withContent(bundle.command('create'))
    .description(
      'Write one archive: the launcher, Node.js, all programs, licences, a bill of materials, sums',
    )
    .requiredOption('-o, --output <file>', '.tbz, .tar.gz, .tar.zst or .tar')
    .option('--level <1-19>', 'how hard to compress (default: 9 for bzip2, 6 for gzip, 10 for zstd)', level);
  create.action(async (flags: BundleFlags & { output: string; level?: number }, self: Command) => {
    const run = await import('./bundle.run.js');
    await run.create(cli, self, flags);
  });

  withContent(program.command('bundle-to-stdout', { hidden: true })).action(
    async (flags: BundleFlags, self: Command) => {
      const run = await import('./bundle.run.js');
      await run.toStdout(cli, self, flags);
    },
  );
};

function withContent(command: Command): Command {
  return command
    .addOption(
      new Option('--arch <arch>', 'processor (default: of this host)').choices([
        'amd64',
        'arm64',
        'x86_64',
        'aarch64',
      ]),
    )
    .option('--preset <name>', `what it can start; repeatable (default: ${defaultPreset})`, collect)
    .option('--node-at-hand', 'take the Node.js that runs this, instead of the pinned one')
    .addOption(new Option('--programs', 'nothing but the programs, unlaunched').hideHelp());
}

function level(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= 19) return number;
  throw new InvalidArgumentError('It is a number from 1 to 19.');
}
