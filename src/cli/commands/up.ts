import { Option } from 'commander';
import { defaultPreset } from '../../settings/default-preset.js';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import { settingsOptions } from '../options/settings.js';
import { duration } from '../options/values.js';
import type { UpFlags } from './up.run.js';

export const defineUp: DefineCommand = (program, cli) => {
  const command = program
    .command('up')
    .description('Start the cluster and stay with it until Ctrl-C stops it')
    .argument('[preset]', `what to run (default: what the cluster was before, else ${defaultPreset})`)
    .option('--init-host', 'as root: prepare the host first')
    .option('-d, --detach', 'return when the cluster is Ready and leave it running')
    .option('--retain', 'leave a cluster that failed to start as it is, for examination')
    .option(
      '--timeout <duration>',
      'fail when the cluster is not Ready by then, for example 90s (default: 5m)',
      duration,
    )
    .addOption(
      new Option(
        '--join-file <path>',
        'keep the line of a fresh join-command there, for nodes that share the file: join --join-file',
      ).conflicts('detach'),
    )
    .option('--config <file>', 'a description of the settings in YAML, over the preset')
    .option('--kubeconfig <file>', 'where to add the cluster (default: as kubectl finds it)')
    .action(async (preset: string | undefined, flags: UpFlags) => {
      const { run } = await import('./up.run.js');
      await run(cli, command, preset, flags);
    });
  for (const option of settingsOptions('up')) command.addOption(option);
  addExamples(command, [
    ['u7s up', 'start, stay in the foreground'],
    ['u7s up default-containerd -d', 'with containerd alone, in the background'],
    ['u7s up default-docker-nokube', 'dockerd without Kubernetes'],
    ['u7s up -d --host-ip 192.0.2.10', 'so that nodes of other hosts can join: u7s join-command'],
    ['./run.sh --init-host', 'as root on a fresh machine: prepare it, then start as an ordinary user'],
  ]);
};
