import type { Paths } from '../settings/paths.js';
import type { FurtherPlan, Made } from './types.js';

/** What the user has added to a control plane. */
export function planFurther(
  nodeName: string,
  { home, manifests, remembered, adminKubeconfig }: Paths,
  { addons = [], helm = '' }: Partial<NonNullable<Made['further']>> = {},
): FurtherPlan {
  const helmEnv = { HOME: home, PATH: '/usr/local/bin:/usr/bin:/bin', KUBECONFIG: adminKubeconfig };
  return { addons, remembered, manifests: { folders: manifests, nodeName, helm, helmEnv } };
}
