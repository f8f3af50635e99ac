import { rm } from 'node:fs/promises';
import { instanceName, type Paths } from '../../settings/paths.js';
import { dockerConfigFolder, withdrawContext } from '../../host/docker-context.js';
import { actsForRoot } from '../as-root/checkout.js';
import { unlinkKubeconfig } from '../as-root/checkout-link.js';
import type { DefineCommand } from '../command.js';
import { globalOptions, selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineCleanup: DefineCommand = (program, cli) => {
  const command = program
    .command('cleanup')
    .description('Stop the cluster and remove everything of it, data included')
    .option('--dry-run', 'only list what would be removed')
    .option('--all', 'also the binaries, caches and launcher copies that all clusters of the user share')
    .option('--kubeconfig <file>', 'where the cluster was added (default: as kubectl finds it)')
    .action(async (flags: { dryRun?: boolean; all?: boolean; kubeconfig?: string }) => {
      const [
        { cleanupPlan, installedRootlessKit, present, removeAll },
        { stopInstance },
        { withdrawKubeconfig },
      ] = await Promise.all([
        import('../../instance/removal.js'),
        import('../../launcher/client.js'),
        import('../../instance/kubeconfig.js'),
      ]);
      const { stdout, env } = cli.io;
      const name = globalOptions(cli, command).cluster;
      const paths = await selectedPaths(cli, command);
      const targets = cleanupPlan(paths, flags.all ?? false);
      if (flags.dryRun) {
        for (const target of await present(targets)) stdout.write(`${target}\n`);
        return;
      }
      const { removeUnit, userUnit } = await import('../../host/systemd.js');
      const unit = userUnit(instanceName(name), paths.configHome);
      if (await removeUnit(unit, env)) stdout.write(`removed ${unit.file}\n`);
      await stopInstance(paths.controlSocket, cli.signal);
      await removeStaleSocket(paths, env);
      const found = await present(targets);
      const rootlesskit = await installedRootlessKit(paths);
      await removeAll(found, { rootlesskit, home: paths.home, signal: cli.signal });
      for (const target of found) stdout.write(`removed ${target}\n`);
      if (found.length === 0) stdout.write(`nothing of cluster ${name} was there\n`);
      if (!actsForRoot(cli)) await unlinkKubeconfig(cli.projectRoot, paths.adminKubeconfig);
      await withdrawContext(dockerConfigFolder(env, paths.home), instanceName(name), paths.dockerSocket);
      // Last, since a file that cannot be understood is left to its owner.
      await withdrawKubeconfig(name, paths, { explicit: flags.kubeconfig, env: env['KUBECONFIG'] });
    });
  addExamples(command, [
    ['u7s cleanup --dry-run', 'see what it would remove'],
    ['u7s --cluster second cleanup', 'remove one cluster'],
    ['u7s cleanup --all', 'leave nothing in the home directory'],
  ]);
};

/** What a dockerd that was killed has left where others look for docker. */
async function removeStaleSocket({ remembered, dockerSocket }: Paths, env: NodeJS.ProcessEnv): Promise<void> {
  const [{ readRemembered }, { thisHost }] = await Promise.all([
    import('../../settings/remembered.js'),
    import('../../host/host.js'),
  ]);
  const known = await readRemembered(remembered).catch(() => undefined);
  if (known?.runtime !== 'docker' || (await thisHost(env).unixSocket(dockerSocket)) !== 'free') return;
  await rm(dockerSocket, { force: true });
}
