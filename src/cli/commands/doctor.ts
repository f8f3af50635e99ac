import { Option } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import { port } from '../options/values.js';
import type { DoctorFlags } from './doctor.run.js';

export const defineDoctor: DefineCommand = (program, cli) => {
  const command = program
    .command('doctor')
    .description('Check whether this host is ready for a node; exits 1 when it is not')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .addOption(
      new Option('--api-port <port>', 'port of the host for the Kubernetes API')
        .env('U7S_API_PORT')
        .default(6443)
        .argParser(port),
    )
    .action(async (flags: DoctorFlags) => {
      const { run } = await import('./doctor.run.js');
      await run(cli, command, flags);
    });
  addExamples(command, [
    ['u7s doctor', 'what was found, and how to fix what is wrong'],
    ['u7s doctor -o json', 'for programs'],
  ]);
};
