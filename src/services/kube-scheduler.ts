import type { ServiceDefinition } from '../supervisor/definition.js';
import { componentKubeconfig } from './component-kubeconfig.js';
import {
  daemon,
  etcFile,
  flags,
  gateFlags,
  jsonFile,
  liveness,
  pkiFile,
  readiness,
  tlsMinVersion,
  type ServiceContext,
} from './context.js';

export function kubeScheduler(context: ServiceContext): ServiceDefinition {
  const kubeconfig = componentKubeconfig(context, 'kube-scheduler');
  const config = etcFile(context, 'kube-scheduler.json');
  return daemon('kube-scheduler', {
    command: context.binary('kube-scheduler'),
    args: flags({
      config,
      'authentication-kubeconfig': kubeconfig.path,
      'authorization-kubeconfig': kubeconfig.path,
      'bind-address': '127.0.0.1',
      'tls-min-version': tlsMinVersion,
      'tls-cert-file': pkiFile(context, 'kube-scheduler-server.crt'),
      'tls-private-key-file': pkiFile(context, 'kube-scheduler-server.key'),
      'client-ca-file': pkiFile(context, 'ca.crt'),
      'requestheader-client-ca-file': pkiFile(context, 'front-proxy-ca.crt'),
      ...gateFlags(context),
    }),
    files: [
      kubeconfig,
      jsonFile(config, {
        apiVersion: 'kubescheduler.config.k8s.io/v1',
        kind: 'KubeSchedulerConfiguration',
        clientConnection: { kubeconfig: kubeconfig.path, qps: 500, burst: 1000 },
        leaderElection: { leaderElect: false },
        enableProfiling: false,
        // Pods that were created before the node was Ready must not wait out the default of up to 10 s.
        podInitialBackoffSeconds: 1,
        podMaxBackoffSeconds: 2,
      }),
    ],
    dependsOn: { 'kube-apiserver': 'ready' },
    ready: {
      type: 'http',
      url: 'https://127.0.0.1:10259/healthz',
      caFile: pkiFile(context, 'ca.crt'),
      ...readiness,
    },
    live: {
      type: 'http',
      url: 'https://127.0.0.1:10259/livez',
      caFile: pkiFile(context, 'ca.crt'),
      ...liveness,
    },
  });
}
