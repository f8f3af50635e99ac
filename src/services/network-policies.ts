import type { ServiceDefinition } from '../supervisor/definition.js';
import { componentKubeconfig } from './component-kubeconfig.js';
import { daemon, flags, liveness, readiness, type ServiceContext } from './context.js';
import { podBridge } from './pod-network.js';

const health = {
  type: 'http',
  url: 'http://localhost/',
  socket: '/run/usernetes/network-policies.sock',
} as const;

/** Makes the node's packet filter keep to the cluster's NetworkPolicies: build/network-policies. */
export function networkPolicies(context: ServiceContext): ServiceDefinition {
  const kubeconfig = componentKubeconfig(context, 'network-policies');
  return daemon('network-policies', {
    command: context.binary('network-policies'),
    args: flags({
      kubeconfig: kubeconfig.path,
      'node-name': context.settings.nodeName,
      bridge: podBridge,
      health: health.socket,
    }),
    // It has little to do, most of the time: memory counts for more than the time of its garbage collector.
    env: { GOGC: '50', GOMAXPROCS: '2' },
    files: [kubeconfig],
    // Nobody waits for it, and the node is Ready no later.
    dependsOn: { kubelet: 'ready', 'kube-proxy': 'ready' },
    ready: { ...health, ...readiness },
    live: { ...health, ...liveness },
  });
}
