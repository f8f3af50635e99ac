import type { Command } from 'commander';
import { shell } from '../../instance/programs/shell.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';
import { passThrough } from '../pass-through.js';

export async function run(cli: Cli, command: Command, words: readonly string[]): Promise<void> {
  const invocation = await withInstance(cli, command, (context) => shell(context, words), {
    progress: 'plain',
  });
  cli.exitCode = await passThrough(invocation);
}
