import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { U7sError } from '../../lib/errors.js';
import { checkoutFolder } from '../as-root/checkout.js';
import type { DefineCommand } from '../command.js';
import { globalOptions, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineInstall: DefineCommand = (program, cli) => {
  const command = program
    .command('install')
    .description('Have systemd start the cluster at each boot, as a unit of this user')
    .argument('[up-arguments...]', 'as for up, its options after --')
    .option('--now', 'start it at once, too')
    .option('--dry-run', 'only print the unit')
    .action(async (upArguments: string[], flags: { now?: boolean; dryRun?: boolean }) => {
      const [{ installUnit, lingers, renderUnit, requireSystemd, systemctl, userUnit }, { instanceName }] =
        await Promise.all([import('../../host/systemd.js'), import('../../settings/paths.js')]);
      const { env, stdout, stderr } = cli.io;
      const { cluster } = globalOptions(cli, command);
      const paths = await selectedPaths(cli, command);
      const u7s = [process.execPath, join(cli.projectRoot, 'bin/u7s.js')];
      const unit = renderUnit({
        cluster,
        command: [...u7s, '--cluster', cluster, '--progress', 'plain', 'up', ...upArguments],
        path: env['PATH'] ?? '',
      });
      if (flags.dryRun) return void stdout.write(unit);

      const program = resolve(cli.io.cwd, checkoutFolder(cli), 'bin/u7s.js');
      await requireSystemd(
        `have cron do it (crontab -e): @reboot ${[program, '--cluster', cluster, 'up', '-d', ...upArguments].join(' ')}`,
      );
      if (flags.now) await requireStopped(paths.controlSocket);
      const { name, file } = userUnit(instanceName(cluster), paths.configHome);
      await installUnit({ name, file }, unit, env);
      stdout.write(`${file} is enabled\n`);
      const user = userInfo().username;
      if (!(await lingers(user)))
        stderr.write(`it starts when you log in; to start it at boot: sudo loginctl enable-linger ${user}\n`);
      if (!flags.now) return void stderr.write(`to start it now: systemctl --user start ${name}\n`);
      await systemctl(['start', name], env);
    });
  addExamples(command, [
    ['u7s install', 'start the default cluster at each boot'],
    ['u7s --cluster second install --now -- --api-port 6444', 'another, with an option of up, and at once'],
    ['u7s install --dry-run', 'see the unit'],
  ]);

  async function requireStopped(controlSocket: string): Promise<void> {
    const { instanceStatus } = await import('../../launcher/client.js');
    if ((await instanceStatus(controlSocket, cli.signal)) === undefined) return;
    throw new U7sError('todo', 'the cluster runs already, outside of systemd', {
      fixes: ['u7s down, then again'],
    });
  }
};
