import { renderKubeconfig } from '../kube/kubeconfig.js';
import { kubeconfigCandidates, mergeIntoKubeconfig, removeFromKubeconfig } from '../kube/kubeconfig-merge.js';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { U7sError, messageOf } from '../lib/errors.js';
import { exists } from '../lib/exists.js';
import { u7s } from '../lib/fixes.js';
import { identityFiles, readIdentityFiles } from '../pki/identity.js';
import { instanceName, type Paths } from '../settings/paths.js';
import { apiServerUrl } from '../plan/kubernetes.js';
import type { Settings } from '../settings/schema.js';
import type { InstanceContext, KubeconfigTarget } from './context.js';

/** Where the administrator's own kubeconfig is; throws when the instance has never been started. */
export async function kubeconfigFile({
  name,
  paths,
}: Pick<InstanceContext, 'name' | 'paths'>): Promise<string> {
  if (await exists(paths.adminKubeconfig)) return paths.adminKubeconfig;
  throw new U7sError(
    'never-started',
    `there is no ${paths.adminKubeconfig}: cluster ${name} has never been started`,
    {
      fixes: [u7s(['up', '-d'], { text: 'start it' })],
    },
  );
}

/**
 * Writes the admin's kubeconfig next to the instance's state and merges it into the user's own, as kind does. Returns why
 * that could not be done: the user's file stays as it was, and a cluster that works need not end for it.
 */
export async function publishKubeconfig(
  spec: Settings,
  paths: Paths,
  target: KubeconfigTarget,
  signal: AbortSignal,
): Promise<U7sError | undefined> {
  const identity = await readIdentityFiles(identityFiles(paths.pki, 'admin'));
  const entry = { name: instanceName(spec.name), server: apiServerUrl(spec), ...identity };
  await writeFileAtomic(paths.adminKubeconfig, renderKubeconfig(entry));
  const candidates = kubeconfigCandidates({ ...target, home: paths.home });
  try {
    await mergeIntoKubeconfig(candidates, entry, signal);
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof U7sError) return error;
    return new U7sError(
      'kubeconfig-not-written',
      `cannot add the cluster to ${candidates.join(', ')}: ${messageOf(error)}`,
      {
        fixes: ['make that a file that you can write to, or name another one: --kubeconfig'],
        cause: error,
      },
    );
  }
}

export async function withdrawKubeconfig(
  cluster: string,
  paths: Paths,
  target: KubeconfigTarget,
  signal: AbortSignal,
): Promise<void> {
  const candidates = kubeconfigCandidates({ ...target, home: paths.home });
  await removeFromKubeconfig(candidates, instanceName(cluster), signal);
}
