import type { ServiceDefinition } from '../supervisor/definition.js';
import { componentKubeconfig } from './component-kubeconfig.js';
import { daemon, flags, liveness, readiness, type ServiceContext } from './context.js';

/** A small program of ours that acts on this node as the API says: build/<name>, with an identity of that name. */
export function nodeProgram(
  context: ServiceContext,
  name: string,
  own: Record<string, string>,
): ServiceDefinition {
  const kubeconfig = componentKubeconfig(context, name);
  const health = { type: 'http', url: 'http://localhost/', socket: `/run/usernetes/${name}.sock` } as const;
  return daemon(name, {
    command: context.binary(name),
    args: flags({
      kubeconfig: kubeconfig.path,
      'node-name': context.settings.nodeName,
      ...own,
      health: health.socket,
    }),
    // It has little to do, most of the time: memory counts for more than the time of its garbage collector.
    env: { GOGC: '50', GOMAXPROCS: '2' },
    files: [kubeconfig],
    // The last to start: nobody waits for it before then, and the node is Ready no later.
    dependsOn: { kubelet: 'ready', 'kube-proxy': 'ready' },
    ready: { ...health, ...readiness },
    live: { ...health, ...liveness },
  });
}
