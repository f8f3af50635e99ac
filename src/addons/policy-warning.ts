import { join } from 'node:path';
import { loadAddons } from '../kube/addons.js';
import type { KubeObject } from '../kube/object.js';

/** By what the API server warns whoever makes a NetworkPolicy that nothing enforces it. */
export function policyWarningObjects(projectRoot: string): Promise<KubeObject[]> {
  return loadAddons(join(projectRoot, 'config/manifests/netpol-unenforced'), {});
}
