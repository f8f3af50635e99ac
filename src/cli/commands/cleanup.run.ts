import type { Command } from 'commander';
import { cleanup } from '../../instance/cleanup.js';
import { actsForRoot } from '../as-root/checkout.js';
import { unlinkKubeconfig } from '../as-root/checkout-link.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export type CleanupFlags = { dryRun?: boolean; all?: boolean; kubeconfig?: string };

export function run(
  cli: Cli,
  command: Command,
  { all = false, dryRun = false, kubeconfig }: CleanupFlags,
): Promise<void> {
  const { stdout } = cli.io;
  return withInstance(
    cli,
    command,
    async (context) => {
      const onRemoved = (path: string): void => void stdout.write(`removed ${path}\n`);
      const paths = await cleanup(context, { all, dryRun, onRemoved });
      if (dryRun) return void stdout.write(paths.map((path) => `${path}\n`).join(''));
      if (paths.length === 0) stdout.write(`nothing of cluster ${context.name} was there\n`);
      if (!actsForRoot(cli)) await unlinkKubeconfig(cli.projectRoot, context.paths.adminKubeconfig);
    },
    { kubeconfig },
  );
}
