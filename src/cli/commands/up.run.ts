import type { Command } from 'commander';
import { up } from '../../instance/up.js';
import { actsForRoot } from '../as-root/checkout.js';
import { linkKubeconfig } from '../as-root/checkout-link.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';
import { stayOrDetach, tellReady } from '../keep-up.js';
import type { Flags } from '../../settings/flags.js';

export type UpFlags = Flags & {
  timeout?: number;
  retain?: boolean;
  detach?: boolean;
  joinFile?: string;
  kubeconfig?: string;
  /** Done before the action: see main.ts. */
  initHost?: boolean;
};

export async function run(
  cli: Cli,
  command: Command,
  preset: string | undefined,
  flags: UpFlags,
): Promise<void> {
  const { detach, joinFile, kubeconfig, retain = false, timeout: timeoutMs } = flags;
  const foreground = detach !== true;
  await withInstance(
    cli,
    command,
    async (context) => {
      const result = await up(context, { preset, flags, timeoutMs, retain });
      const hasApi = result.status.apiServer !== undefined;
      if (hasApi && !actsForRoot(cli)) await linkKubeconfig(cli.projectRoot, context.paths.adminKubeconfig);
      await tellReady(cli, context, result, foreground);
      await stayOrDetach(context, result, { foreground, joinFile });
    },
    { kubeconfig },
  );
}
