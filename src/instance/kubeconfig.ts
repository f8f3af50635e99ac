import { renderKubeconfig } from '../kube/kubeconfig.js';
import { kubeconfigCandidates, mergeIntoKubeconfig, removeFromKubeconfig } from '../kube/kubeconfig-merge.js';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { U7sError, messageOf } from '../lib/errors.js';
import { identityFiles, readIdentityFiles } from '../pki/identity.js';
import { instanceName, type Paths } from '../settings/paths.js';
import { apiServerUrl } from '../plan/plan.js';
import type { Settings } from '../settings/schema.js';

/** Where the user wants it: `--kubeconfig`, else the value of `$KUBECONFIG`, else kubectl's default. */
export type KubeconfigTarget = { explicit?: string | undefined; env?: string | undefined };

/**
 * Writes the admin's kubeconfig beside the cluster's state and merges it into the user's own, as kind does. Returns why
 * that could not be done: the user's file stays as it was, and a cluster that works need not end for it.
 */
export async function publishKubeconfig(
  settings: Settings,
  paths: Paths,
  target: KubeconfigTarget,
): Promise<U7sError | undefined> {
  const identity = await readIdentityFiles(identityFiles(paths.pki, 'admin'));
  const entry = { name: instanceName(settings.name), server: apiServerUrl(settings), ...identity };
  await writeFileAtomic(paths.adminKubeconfig, renderKubeconfig(entry));
  const candidates = kubeconfigCandidates({ ...target, home: paths.home });
  try {
    await mergeIntoKubeconfig(candidates, entry);
    return undefined;
  } catch (error) {
    if (error instanceof U7sError) return error;
    return new U7sError('todo', `cannot add the cluster to ${candidates.join(', ')}: ${messageOf(error)}`, {
      fixes: ['make that a file that you can write, or name another one: --kubeconfig'],
      cause: error,
    });
  }
}

export async function withdrawKubeconfig(
  cluster: string,
  paths: Paths,
  target: KubeconfigTarget,
): Promise<void> {
  await removeFromKubeconfig(kubeconfigCandidates({ ...target, home: paths.home }), instanceName(cluster));
}
