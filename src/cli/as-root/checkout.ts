import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findExecutable } from '../../lib/exists.js';
import type { Cli } from '../command.js';

/**
 * Root acting for a user tells by this variable where its checkout is: the copy that the user's process runs from is
 * nothing that a person would type.
 */
export const checkoutVariable = 'U7S_CHECKOUT';

export function actsForRoot({ io }: Cli): boolean {
  return Boolean(io.env[checkoutVariable]);
}

/** The folder of run.sh and its like, as it is to be written where the command was typed: `.` or an absolute path. */
export function checkoutFolder({ io, projectRoot }: Cli): string {
  return io.env[checkoutVariable] || (io.cwd === projectRoot ? '.' : projectRoot);
}

/** The same, where there are run.sh and its like: not in an image, where u7s itself is on the PATH. */
export function wrapperFolder(cli: Cli): string | undefined {
  const there = actsForRoot(cli) || existsSync(join(cli.projectRoot, 'run.sh'));
  return there ? checkoutFolder(cli) : undefined;
}

/** How a kubectl on the host, if there is one, finds the cluster: what root is told must hold for root. */
export async function hostKubectl(
  cli: Cli,
  inKubeconfig: boolean,
): Promise<'context' | 'kubeconfig' | undefined> {
  const folders = (cli.io.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  if ((await findExecutable('kubectl', folders)) === undefined) return undefined;
  return inKubeconfig && !actsForRoot(cli) ? 'context' : 'kubeconfig';
}
