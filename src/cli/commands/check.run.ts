import type { Command } from 'commander';
import { checkNetwork } from '../../instance/check-network.js';
import { prepareNetworkCheck } from '../../instance/network-program.js';
import { isSound } from '../../instance/network-report.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';
import { networkTable } from '../status/network-table.js';
import { fixText } from '../typist.js';

export function run(cli: Cli, command: Command, output: 'json' | undefined): Promise<void> {
  return withInstance(cli, command, async (context) => {
    const pairs = await checkNetwork(context);
    cli.io.stdout.write(
      output === 'json'
        ? `${JSON.stringify(pairs, null, 2)}\n`
        : networkTable(pairs, (fix) => fixText(cli, fix)),
    );
    if (!pairs.every(isSound)) cli.exitCode = 1;
  });
}

export function prepareOnly(cli: Cli, command: Command): Promise<void> {
  return withInstance(cli, command, async (context) => {
    await prepareNetworkCheck(context);
  });
}
