import { Option } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';

export const defineCheck: DefineCommand = (program, cli) => {
  const check = program.command('check').description('Try what a running cluster should be able to do');
  const network = check
    .command('network')
    .description(
      'connect from a pod on each node to a pod on each node, in every way; exits 1 when one fails',
    )
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .option('--prepare', 'only load the program of the check into this node, as a node needs that has joined')
    .action(async ({ output, prepare }: { output?: 'json'; prepare?: true }) => {
      const { run, prepareOnly } = await import('./check.run.js');
      await (prepare ? prepareOnly(cli, network) : run(cli, network, output));
    });
  addExamples(check, [
    ['u7s check network', 'every pair of nodes, as a table'],
    ['u7s check network --prepare', 'on a node that has joined: have the program of the check there'],
    ['u7s check network -o json', 'for programs, with the error of each try'],
  ]);
};
