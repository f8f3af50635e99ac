import type { ServiceDefinition } from '../supervisor/definition.js';
import { identityFiles } from '../pki/identity.js';
import { daemon, flags, liveness, pkiFile, readiness, type ServiceContext } from './context.js';

/** What the metrics must know about the container runtime. */
export type MetricsRuntime = {
  /** `KIND:FOLDER` where it keeps a folder for each container: build/metrics/containers.go knows the kinds. */
  containers: string;
};

const health = '127.0.0.1:8473';
/** On loopback: only the API server, which is on the same node, uses it. */
export const metricsApiPort = 8474;

/** Measures what the node and its pods use; on the control plane it serves that for all nodes: build/metrics. */
export function metrics(context: ServiceContext, { containers }: MetricsRuntime): ServiceDefinition {
  const { nodeName, metricsResolution } = context.settings;
  const { caFile, certFile, keyFile } = identityFiles(context.pki, 'metrics');
  const healthz = { type: 'http', url: `http://${health}/healthz` } as const;
  return daemon('metrics', {
    command: context.binary('metrics'),
    args: flags({
      node: nodeName,
      // Without cgroups of its own all containers are in the same one, and only their processes tell them apart.
      usage: context.cgroups === 'delegated' ? 'cgroups' : 'processes',
      containers,
      resolution: `${metricsResolution}s`,
      health,
      api: context.apiServer,
      ca: caFile,
      cert: certFile,
      key: keyFile,
      ...(context.role === 'control-plane' ? serving(context) : {}),
    }),
    env: { GOMAXPROCS: '2' },
    // Nobody waits for it before then, and the node is Ready no later.
    dependsOn: { kubelet: 'ready', 'kube-proxy': 'ready' },
    ready: { ...healthz, ...readiness },
    live: { ...healthz, ...liveness },
  });
}

function serving(context: ServiceContext): Record<string, string> {
  return {
    listen: `127.0.0.1:${metricsApiPort}`,
    'server-cert': pkiFile(context, 'metrics-server.crt'),
    'server-key': pkiFile(context, 'metrics-server.key'),
    'proxy-ca': pkiFile(context, 'front-proxy-ca.crt'),
    'proxy-name': 'front-proxy-client',
  };
}
