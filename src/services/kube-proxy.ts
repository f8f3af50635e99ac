import type { ServiceDefinition } from '../supervisor/definition.js';
import { componentKubeconfig } from './component-kubeconfig.js';
import {
  afterApiServer,
  daemon,
  etcFile,
  flags,
  jsonFile,
  liveness,
  readiness,
  type ServiceContext,
} from './context.js';

export function kubeProxy(context: ServiceContext): ServiceDefinition {
  const kubeconfig = componentKubeconfig(context, 'kube-proxy');
  const config = etcFile(context, 'kube-proxy.json');
  return daemon('kube-proxy', {
    command: context.binary('kube-proxy'),
    args: flags({ config }),
    files: [
      kubeconfig,
      jsonFile(config, {
        apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
        kind: 'KubeProxyConfiguration',
        ...(Object.keys(context.settings.featureGates).length === 0
          ? {}
          : { featureGates: context.settings.featureGates }),
        clientConnection: { kubeconfig: kubeconfig.path },
        hostnameOverride: context.settings.nodeName,
        mode: context.netfilter.backend,
        clusterCIDR: context.settings.podCidr,
        // By default a change waits up to a second after the one before it, and a Service is followed at once by its endpoints.
        iptables: { minSyncPeriod: '20ms' },
        nftables: { minSyncPeriod: '20ms' },
        healthzBindAddress: '127.0.0.1:10256',
        metricsBindAddress: '127.0.0.1:10249',
        // The conntrack sysctls belong to the host: 0 leaves them alone, anything else ends the process.
        conntrack: {
          maxPerCore: 0,
          min: 0,
          tcpEstablishedTimeout: '0s',
          tcpCloseWaitTimeout: '0s',
          udpTimeout: '0s',
          udpStreamTimeout: '0s',
        },
      }),
    ],
    dependsOn: afterApiServer(context, 'ready'),
    ready: {
      type: 'http',
      url: 'http://127.0.0.1:10256/livez',
      ...readiness,
    },
    live: { type: 'http', url: 'http://127.0.0.1:10256/livez', ...liveness },
  });
}
