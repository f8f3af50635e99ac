import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { install, unitText } from '../../instance/install.js';
import { checkoutFolder } from '../as-root/checkout.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export type InstallFlags = { now?: boolean; dryRun?: boolean };

export function run(
  cli: Cli,
  command: Command,
  upArguments: string[],
  { now = false, dryRun = false }: InstallFlags,
): Promise<void> {
  return withInstance(cli, command, async (context) => {
    const { stdout, stderr, cwd } = cli.io;
    const script = resolve(cwd, checkoutFolder(cli), 'bin/u7s.js');
    const request = {
      program: [process.execPath, join(cli.projectRoot, 'bin/u7s.js')],
      upArguments,
      now,
      cronLine: `@reboot ${[script, '--cluster', context.name, 'up', '-d', ...upArguments].join(' ')}`,
    };
    if (dryRun) return void stdout.write(unitText(context, request));
    const { name, file, user, lingers } = await install(context, request);
    stdout.write(`${file} is enabled\n`);
    if (!lingers)
      stderr.write(`it starts when you log in; to start it at boot: sudo loginctl enable-linger ${user}\n`);
    if (!now) stderr.write(`to start it now: systemctl --user start ${name}\n`);
  });
}
