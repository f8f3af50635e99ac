import { Option, type Command } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineRegistry: DefineCommand = (program, cli) => {
  const registry = program
    .command('registry')
    .description('Log in to registries for all pods, and show what is set for registries');
  addExamples(registry, [
    ['u7s registry login registry.example:5000 -u alice < password', 'pods can pull from it within seconds'],
    ['u7s registry login docker.io -u alice', 'the password is asked for'],
    ['u7s registry ls', 'users, mirrors and certificates of registries'],
    ['u7s registry logout docker.io', 'forget the password'],
  ]);
  registry
    .command('login')
    .description('Keep a password, read from standard input, for pulls of all instances')
    .argument('<server>', 'registry as images name it: docker.io, registry.example:5000')
    .requiredOption('-u, --username <name>', 'who logs in')
    .action(async (server: string, { username }: { username: string }, self: Command) => {
      const run = await import('./registry.run.js');
      await run.login(cli, self, server, username);
    });
  registry
    .command('logout')
    .description('Forget the password of a registry')
    .argument('<server>', 'registry as images name it')
    .action(async (server: string, _options: unknown, self: Command) => {
      const run = await import('./registry.run.js');
      await run.logout(cli, self, server);
    });
  registry
    .command('ls')
    .description('List what is set for registries, without passwords')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action(async ({ output }: { output?: 'json' }, self: Command) => {
      const run = await import('./registry.run.js');
      await run.list(cli, self, output);
    });
};
