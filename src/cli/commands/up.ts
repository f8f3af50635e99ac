import { Option } from 'commander';
import { defaultPreset } from '../../settings/default-preset.js';
import type { DefineCommand } from '../command.js';
import { addExamples } from '../help.js';
import { startOptions } from '../options/start.js';
import { duration, port } from '../options/values.js';
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
    .addOption(startOptions.artifacts())
    .addOption(startOptions.artifact())
    .addOption(startOptions.nodeName())
    .option(
      '--host-ip <address>',
      'address of the host by which nodes of other hosts reach this one, so that they can join (default: none)',
    )
    .option(
      '--api-port <port>',
      'port of the host that the API is published on (default: 6443, or the next that is free)',
      port,
    )
    .addOption(startOptions.kubeletPort())
    .option('--flannel-port <port>', 'UDP port of the pods’ network (default: 8472, or the next)', port)
    .option(
      '--port-base <port>',
      'the first of four ports in a row, for API, kubelet, Flannel and etcd',
      port,
    )
    .option(
      '--api-address <address>',
      'address of the host that the API is published on (default: that of --host-ip, or 127.0.0.1)',
    )
    .option(
      '--publish-address <address>',
      'address of the host that Services and host ports are published on (default: that of --host-ip, or 127.0.0.1)',
    )
    .option(
      '--publish <spec>',
      'publish a port at each start, like 127.0.0.1:8080:80/tcp; may be repeated (default: $U7S_ROOTLESSKIT_PORTS)',
      (spec: string, before: string[] = []) => [...before, spec],
    )
    .addOption(
      new Option(
        '--join-file <path>',
        'keep the line of a fresh join-command there, for nodes that share the file: join --join-file',
      ).conflicts('detach'),
    )
    .option('--no-expose', 'publish no Services and no host ports of pods')
    .option('--config <file>', 'a cluster description in YAML, over the preset')
    .option('--kubeconfig <file>', 'where to add the cluster (default: as kubectl finds it)')
    .action(async (preset: string | undefined, flags: UpFlags) => {
      const { run } = await import('./up.run.js');
      await run(cli, command, preset, flags);
    });
  addExamples(command, [
    ['u7s up', 'start, stay in the foreground'],
    ['u7s up default-containerd -d', 'with containerd alone, in the background'],
    ['u7s up default-docker-nokube', 'dockerd without Kubernetes'],
    ['u7s up -d --host-ip 192.0.2.10', 'so that nodes of other hosts can join: u7s join-command'],
    ['./run.sh --init-host', 'as root on a fresh machine: prepare it, then start as an ordinary user'],
  ]);
};
