import { Option } from 'commander';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import { settingsOptions } from '../options/settings.js';
import { duration } from '../options/values.js';
import type { JoinFlags } from './join.run.js';

export const defineJoin: DefineCommand = (program, cli) => {
  const command = program
    .command('join')
    .description('Make this host a node of a cluster whose control plane runs on another host')
    .argument('[host:port]', 'the control plane, as its join-command prints it')
    .option('--token <token>', 'admits the node')
    .option('--discovery-token-ca-cert-hash <sha256:hash>', 'identifies the right control plane')
    .addOption(
      new Option(
        '--join-file <path>',
        'take all of this from the line in a file, once it is there, or from the standard input (-); a node that has joined before is started',
      ).conflicts(['token', 'discoveryTokenCaCertHash']),
    )
    .option('--foreground', 'stay with the node until Ctrl-C stops it')
    .option(
      '--timeout <duration>',
      'fail when the node is not Ready by then, for example 90s (default: 5m)',
      duration,
    )
    .action(async (endpoint: string | undefined, flags: JoinFlags) => {
      // The token is nobody else's to read in the list of processes.
      process.title = 'u7s join';
      const { run } = await import('./join.run.js');
      await run(cli, command, endpoint, flags);
    });
  for (const option of settingsOptions('join')) command.addOption(option);
  addExamples(command, [
    [
      'u7s join 192.0.2.10:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:…',
      'the line that u7s join-command prints on the control plane',
    ],
    ['u7s join --join-file ./join-command', 'by the line in a file, so that no argument is secret'],
    ['u7s join … --node-name second --host-ip 192.0.2.11', 'under another name, at a given address'],
  ]);
};
