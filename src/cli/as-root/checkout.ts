import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findExecutable } from '../../lib/exists.js';
import type { Cli } from '../command.js';

/**
 * Names root's checkout to the process that runs for a user: that process runs from a copy, whose path nobody would type.
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

/** How a kubectl on the host, if there is one, finds the cluster. Root is shown the wrappers alone, which run it as the account. */
export async function hostKubectl(
  cli: Cli,
  inKubeconfig: boolean,
): Promise<'context' | 'kubeconfig' | undefined> {
  if (actsForRoot(cli)) return undefined;
  const folders = (cli.io.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  if ((await findExecutable('kubectl', folders)) === undefined) return undefined;
  return inKubeconfig ? 'context' : 'kubeconfig';
}
