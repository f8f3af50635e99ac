import type { Command } from 'commander';
import type { Cli } from '../command.js';
import { completionScript, type Shell } from '../completion/script.js';

export function run(cli: Cli, program: Command, shell: Shell): void {
  cli.io.stdout.write(completionScript(program, shell));
}
