import type { Command } from 'commander';
import { disableAddon, enableAddon, listAddons } from '../../instance/addons.js';
import { renderTable } from '../../ui/table.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export async function list(cli: Cli, command: Command, output: 'json' | undefined): Promise<void> {
  const found = await withInstance(cli, command, listAddons, { progress: 'plain' });
  const rows = found.map(({ name, state, memory, costs, help }) => [
    name,
    state,
    memory === undefined ? '-' : `${Math.round(memory / 2 ** 20)} MiB`,
    costs,
    help,
  ]);
  cli.io.stdout.write(
    output === 'json'
      ? `${JSON.stringify(found, null, 2)}\n`
      : renderTable(['name', 'state', 'memory', 'costs', 'what it is'], rows),
  );
}

export async function enable(cli: Cli, command: Command, word: string): Promise<void> {
  const { name, running } = await withInstance(cli, command, (context) => enableAddon(context, word));
  cli.io.stdout.write(running ? `${name} is enabled\n` : `${name} is enabled from the next start on\n`);
}

export async function disable(cli: Cli, command: Command, word: string): Promise<void> {
  const { name, running } = await withInstance(cli, command, (context) => disableAddon(context, word));
  cli.io.stdout.write(running ? `${name} is disabled\n` : `${name} is removed at the next start\n`);
}
