import { join } from 'node:path';
import { loadAddons } from '../kube/addons.js';
import type { KubeObject } from '../kube/object.js';
import { metricsApiPort } from '../services/metrics.js';

/** By what the API server finds the service that serves metrics.k8s.io. `rootCa` is PEM. */
export function metricsObjects(projectRoot: string, rootCa: string): Promise<KubeObject[]> {
  return loadAddons(join(projectRoot, 'config/manifests/metrics'), {
    ROOT_CA_BASE64: Buffer.from(rootCa).toString('base64'),
    METRICS_PORT: String(metricsApiPort),
  });
}
