import type { GeneratedFile } from '../supervisor/definition.js';
import { renderComponentKubeconfig } from '../kube/kubeconfig.js';
import { identityFiles } from '../pki/identity.js';
import { etcFile, type ServiceContext } from './context.js';

/** The kubeconfig of a component, with its own certificate. */
export function componentKubeconfig(context: ServiceContext, component: string): GeneratedFile {
  return {
    path: etcFile(context, `${component}.kubeconfig`),
    mode: 0o600,
    content: renderComponentKubeconfig({
      server: context.apiServer,
      ...identityFiles(context.pki, component),
    }),
  };
}
