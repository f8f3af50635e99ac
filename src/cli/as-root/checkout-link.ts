import { randomBytes } from 'node:crypto';
import { readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/** `config/localhost.kubeconfig`, for a kubectl on the host, as in Gen1. */
function linkPath(projectRoot: string): string {
  return join(projectRoot, 'config', 'localhost.kubeconfig');
}

/**
 * Links it to a cluster's kubeconfig, which need not exist yet. A checkout that cannot be written goes without. Returns
 * where it pointed before.
 */
export async function linkKubeconfig(
  projectRoot: string,
  adminKubeconfig: string,
): Promise<string | undefined> {
  const path = linkPath(projectRoot);
  const before = await currentTarget(path);
  if (before === adminKubeconfig) return before;
  const temporary = `${path}.${randomBytes(6).toString('hex')}.kubeconfig`;
  try {
    await symlink(adminKubeconfig, temporary);
    await rename(temporary, path);
  } catch {
    await rm(temporary, { force: true }).catch(() => {});
  }
  return before;
}

/** Removes the link if it points to `adminKubeconfig`. */
export async function unlinkKubeconfig(projectRoot: string, adminKubeconfig: string): Promise<void> {
  const path = linkPath(projectRoot);
  if ((await currentTarget(path)) === adminKubeconfig) await rm(path, { force: true }).catch(() => {});
}

async function currentTarget(path: string): Promise<string | undefined> {
  return readlink(path).catch(() => undefined);
}
