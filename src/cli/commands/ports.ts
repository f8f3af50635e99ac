import { Option } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import type { ListFlags } from './ports.run.js';

export const definePorts: DefineCommand = (program, cli) => {
  const command = program
    .command('ports')
    .description('List the ports that are published on this host, and for whom')
    .addOption(
      new Option('-o, --output <format>', 'json, or a table').choices(['table', 'json']).default('table'),
    )
    .option('--why', 'say why a port is not published, and what to do')
    .action(async (flags: ListFlags) => {
      const { list } = await import('./ports.run.js');
      await list(cli, command, flags);
    });
  const add = command
    .command('add')
    .description('publish ports, now and at every start, and print their IDs')
    .argument('<specs...>', 'HOST_ADDRESS:HOST_PORT:[ADDRESS:]PORT/PROTOCOL')
    .action(async (words: string[]) => {
      const run = await import('./ports.run.js');
      await run.add(cli, add, words);
    });
  const remove = command
    .command('remove')
    .alias('rm')
    .description('end ports that were published by hand, now and for every start')
    .argument('<ports...>', 'IDs, or specs as in `ports add`')
    .action(async (words: string[]) => {
      const run = await import('./ports.run.js');
      await run.remove(cli, remove, words);
    });
  addExamples(command, [
    ['u7s ports', 'see what is published'],
    ['u7s ports add 127.0.0.1:8080:80/tcp', 'forward port 8080 of the host to port 80 of the node'],
    ['u7s ports remove 3', 'end that'],
    ['u7s ports --why', 'why a port is missing'],
  ]);
};
