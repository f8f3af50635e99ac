import { defaultPreset } from '../../settings/default-preset.js';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import type { InitHostOptions } from './init-host.run.js';

export const defineInitHost: DefineCommand = (program, cli) => {
  const command = program
    .command('init-host')
    .description(
      'Prepare this host for rootless nodes, as root or through sudo: packages, sub-IDs, devices, kernel settings',
    )
    .option('--dry-run', 'only print the script that would run')
    .option(
      '--user <name>',
      'the user to prepare it for (default: $U7S_USER, the caller, or as root "usernetes")',
    )
    .option('--preset <name>', 'the preset that will run on it', defaultPreset)
    .option('--build-tools', 'also install what building binaries needs (default: where Go is installed)')
    .option('--no-build-tools', 'do not install that')
    .option('--for-image', 'only what lasts in a container image: packages, user, sub-IDs')
    .action(async (options: InitHostOptions) => {
      const { run } = await import('./init-host.run.js');
      await run(cli, command, options);
    });
  addExamples(command, [
    ['u7s init-host --dry-run', 'show what remains to be done, as a script'],
    ['sudo u7s init-host', 'do it'],
    ['sudo u7s init-host --preset default-crio', 'including what CRI-O needs'],
  ]);
};
