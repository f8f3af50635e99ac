import type { ServiceDefinition } from '../supervisor/definition.js';
import { volumesFolder } from '../rootless/child.js';
import { componentKubeconfig } from './component-kubeconfig.js';
import { daemon, flags, liveness, readiness, type ServiceContext } from './context.js';

const health = {
  type: 'http',
  url: 'http://localhost/',
  socket: '/run/usernetes/local-storage.sock',
} as const;

/** Makes and removes the volumes of this node: build/local-storage. */
export function localStorage(context: ServiceContext): ServiceDefinition {
  const kubeconfig = componentKubeconfig(context, 'local-storage');
  return daemon('local-storage', {
    command: context.binary('local-storage'),
    args: flags({
      kubeconfig: kubeconfig.path,
      'node-name': context.settings.nodeName,
      folder: volumesFolder,
      health: health.socket,
    }),
    // It has little to do, ever: memory counts for more than the time of its garbage collector.
    env: { GOGC: '50', GOMAXPROCS: '2' },
    files: [kubeconfig],
    // The last to start: nobody waits for it before then, and the node is Ready no later.
    dependsOn: { kubelet: 'ready', 'kube-proxy': 'ready' },
    ready: { ...health, ...readiness },
    live: { ...health, ...liveness },
  });
}
