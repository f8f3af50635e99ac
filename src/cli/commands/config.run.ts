import type { Command } from 'commander';
import { stringify } from 'yaml';
import { forgetSettings, nextSettings } from '../../instance/config.js';
import { descriptionSchema, descriptionTemplate } from '../../settings/json-schema.js';
import { shownSettings } from '../../settings/view.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export function init(cli: Cli): void {
  cli.io.stdout.write(descriptionTemplate());
}

export function schema(cli: Cli): void {
  cli.io.stdout.write(`${JSON.stringify(descriptionSchema(), null, 2)}\n`);
}

export async function view(cli: Cli, command: Command, output: 'yaml' | 'json'): Promise<void> {
  const settings = await withInstance(cli, command, (context) => nextSettings(context), {
    progress: 'plain',
  });
  const shown = shownSettings(settings);
  cli.io.stdout.write(output === 'json' ? `${JSON.stringify(shown, null, 2)}\n` : stringify(shown));
}

export async function validate(cli: Cli, command: Command, file: string, preset?: string): Promise<void> {
  await withInstance(cli, command, (context) => nextSettings(context, file, preset), { progress: 'plain' });
  cli.io.stdout.write(`${file} is valid\n`);
}

export async function forget(cli: Cli, command: Command, names: readonly string[]): Promise<void> {
  await withInstance(cli, command, (context) => forgetSettings(context, names), { progress: 'plain' });
}
