import { evictionText } from '../host/disk.js';
import type { DependencyCondition, ServiceDefinition } from '../supervisor/definition.js';
import { componentKubeconfig } from './component-kubeconfig.js';
import {
  afterApiServer,
  daemon,
  etcFile,
  flags,
  jsonFile,
  liveness,
  pkiFile,
  readiness,
  tlsMinVersion,
  type ServiceContext,
} from './context.js';

/** What the kubelet must know about the container runtime. */
export type KubeletRuntime = {
  /** The unix socket on which it speaks CRI. */
  criSocket: string;
  /** What must have happened to which of its services before the kubelet starts. */
  readyForKubelet: Record<string, DependencyCondition>;
};

export function kubelet(context: ServiceContext, runtime: KubeletRuntime): ServiceDefinition {
  const kubeconfig = componentKubeconfig(context, 'kubelet');
  const config = etcFile(context, 'kubelet.json');
  const labels = Object.entries(context.settings.nodeLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  return daemon('kubelet', {
    command: context.binary('kubelet'),
    args: flags({
      config,
      kubeconfig: kubeconfig.path,
      'hostname-override': context.settings.nodeName,
      'node-ip': context.nodeAddress,
      'image-credential-provider-config': context.registries.credentialProvider,
      'image-credential-provider-bin-dir': context.credentialPrograms,
      ...(labels === '' ? {} : { 'node-labels': labels }),
    }),
    files: [kubeconfig, jsonFile(config, kubeletConfiguration(context, runtime.criSocket))],
    // It registers as soon as the API serves, a second or two before that is ready: the node authorizer, unlike RBAC, needs
    // no roles. A kubelet that comes before the API can even be reached loses seconds in its registration back-off.
    dependsOn: { ...afterApiServer(context, 'reachable'), ...runtime.readyForKubelet },
    ready: {
      type: 'http',
      url: 'http://127.0.0.1:10248/healthz',
      ...readiness,
    },
    live: { type: 'http', url: 'http://127.0.0.1:10248/healthz', ...liveness },
  });
}

/** Those that the node is registered with: `gpu=yes:NoSchedule`. */
function taints(given: readonly string[]): object {
  if (given.length === 0) return {};
  const registerWithTaints = given.map((taint) => {
    const [, key, value = '', effect] = /^([^=:]+)(?:=([^:]*))?:(.*)$/.exec(taint) ?? [];
    return { key, value, effect };
  });
  return { registerWithTaints };
}

/** Processes and threads of one pod: enough for a large JVM, and no fork bomb takes what all of the account may have. */
const mostPids = 4096;

/** All of evictionHard: what is not named there counts as never. */
const smallDisk = {
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': evictionText,
    'imagefs.available': evictionText,
    'nodefs.inodesFree': '2%',
    'imagefs.inodesFree': '2%',
  },
  // A node is used again soon after somebody has made room; by default after five minutes.
  evictionPressureTransitionPeriod: '30s',
  // Images are removed when the disk is nearly full, not before: those that were loaded by hand cannot be pulled again.
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
};

function kubeletConfiguration(context: ServiceContext, criSocket: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    featureGates: { ...context.settings.featureGates, KubeletInUserNamespace: true },
    ...taints(context.settings.nodeTaints),
    port: context.settings.kubeletPort,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pkiFile(context, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsMinVersion,
    tlsCertFile: pkiFile(context, 'kubelet-server.crt'),
    tlsPrivateKeyFile: pkiFile(context, 'kubelet-server.key'),
    clusterDNS: [context.settings.dnsAddress],
    clusterDomain: context.settings.dnsDomain,
    resolvConf: '/etc/resolv.conf',
    containerRuntimeEndpoint: `unix://${criSocket}`,
    // The default, below /usr/libexec, is not writable for us.
    volumePluginDir: '/var/lib/kubelet/volumeplugins',
    failSwapOn: false,
    serializeImagePulls: false,
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    ...smallDisk,
    // Otherwise a pod that names no seccomp profile could make every system call.
    seccompDefault: true,
    ...(context.cgroups === 'none'
      ? { cgroupsPerQOS: false, enforceNodeAllocatable: [] }
      : { podPidsLimit: mostPids }),
  };
}
