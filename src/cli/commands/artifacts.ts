import { Argument, Option, type Command } from 'commander';
import type { ArtifactName } from '../../artifacts/artifact.js';
import { artifactNames } from '../../artifacts/catalog.js';
import { defaultPreset } from '../../settings/default-preset.js';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import type { FetchFlags } from './artifacts.run.js';

export const defineArtifacts: DefineCommand = (program, cli) => {
  const artifacts = program
    .command('artifacts')
    .description('Get, list and check the binaries that a node consists of');

  artifacts
    .command('list')
    .description('Show each binary, where it is and how it was obtained')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action(async ({ output }: { output?: 'json' }, self: Command) => {
      const run = await import('./artifacts.run.js');
      await run.list(cli, self, output);
    });

  artifacts
    .command('fetch')
    .description(
      'Get missing artifacts: download them, else build them, else use the host’s own (default: all that a node needs)',
    )
    .addArgument(createNames())
    .addOption(
      new Option('--artifacts <way>', 'force one way (default: $U7S_ARTIFACTS, or "auto")')
        .choices(['auto', 'download', 'build', 'host'])
        .env('U7S_ARTIFACTS'),
    )
    .option('--preset <name>', 'all that a cluster of this preset needs', defaultPreset)
    .action(async (names: ArtifactName[], flags: FetchFlags, self: Command) => {
      const run = await import('./artifacts.run.js');
      await run.fetch(cli, self, names, flags);
    });

  artifacts
    .command('build')
    .description('Build artifacts from their Go modules (default: all that can be built)')
    .addArgument(createNames())
    .action(async (names: ArtifactName[], _options: unknown, self: Command) => {
      const run = await import('./artifacts.run.js');
      await run.build(cli, self, names);
    });

  artifacts
    .command('verify')
    .description('Hash the installed files again; exits 1 when one has changed')
    .addArgument(createNames())
    .action(async (names: ArtifactName[], _options: unknown, self: Command) => {
      const run = await import('./artifacts.run.js');
      await run.verify(cli, self, names);
    });

  addExamples(artifacts, [
    ['u7s artifacts list', 'every binary, its version, its way and its path'],
    ['u7s artifacts fetch', 'get all that a node needs, before the first start'],
    ['u7s artifacts fetch --artifacts=download etcd', 'only by download'],
    ['u7s artifacts verify', 'check the installed files'],
  ]);
};

function createNames(): Argument {
  return new Argument('[name...]', 'artifacts').choices(artifactNames);
}
