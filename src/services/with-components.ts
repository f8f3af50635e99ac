import { UsageError } from '../lib/errors.js';
import {
  componentNames,
  componentServices,
  type ArgValue,
  type ComponentName,
} from '../settings/components.js';
import type { Settings } from '../settings/schema.js';
import type { GeneratedFile, ServiceDefinition } from '../supervisor/definition.js';

/** What of a component's own flags and fields may be changed although we set them; lists are added to. */
type Freedom = {
  free?: readonly string[];
  lists?: readonly string[];
  config?: string;
  taken?: readonly string[];
};

const freedoms: Record<ComponentName, Freedom> = {
  kubeApiserver: {
    free: ['profiling', 'allow-privileged', 'shutdown-watch-termination-grace-period'],
    lists: ['enable-admission-plugins', 'runtime-config'],
    taken: ['feature-gates', 'runtime-config'],
  },
  kubeControllerManager: {
    free: ['profiling', 'kube-api-qps', 'kube-api-burst'],
    lists: ['controllers'],
    taken: ['feature-gates'],
  },
  kubeScheduler: {
    config: 'kube-scheduler.json',
    free: ['podInitialBackoffSeconds', 'podMaxBackoffSeconds', 'enableProfiling'],
    taken: ['feature-gates', 'leader-elect'],
  },
  kubelet: {
    config: 'kubelet.json',
    free: [
      ...['evictionHard', 'evictionPressureTransitionPeriod', 'imageGCHighThresholdPercent'],
      ...[
        'imageGCLowThresholdPercent',
        'serializeImagePulls',
        'seccompDefault',
        'podPidsLimit',
        'failSwapOn',
      ],
    ],
    // The old flags of fields that are ours.
    taken: [
      ...[
        'cluster-dns',
        'cluster-domain',
        'port',
        'container-runtime-endpoint',
        'client-ca-file',
        'root-dir',
      ],
      ...['tls-cert-file', 'tls-private-key-file', 'cgroup-driver', 'cgroups-per-qos', 'anonymous-auth'],
      ...[
        'authorization-mode',
        'authentication-token-webhook',
        'register-node',
        'resolv-conf',
        'node-labels',
      ],
      ...['register-with-taints', 'feature-gates', 'config-dir', 'bootstrap-kubeconfig', 'volume-plugin-dir'],
    ],
  },
  kubeProxy: {
    config: 'kube-proxy.json',
    free: ['iptables', 'nftables'],
    taken: ['feature-gates', 'cluster-cidr'],
  },
  etcd: { free: ['heartbeat-interval', 'election-timeout', 'log-level'] },
};

/** The setting to use instead of a flag or field that is ours. */
const instead: Record<string, string> = {
  'service-cluster-ip-range': 'serviceCidr',
  'cluster-cidr': 'podCidr',
  clusterCIDR: 'podCidr',
  'secure-port': 'apiPort',
  'advertise-address': 'hostIp',
  'node-ip': 'hostIp',
  'hostname-override': 'nodeName',
  hostnameOverride: 'nodeName',
  'node-labels': 'nodeLabels',
  'register-with-taints': 'nodeTaints',
  registerWithTaints: 'nodeTaints',
  'cluster-dns': 'dnsAddress',
  clusterDNS: 'dnsAddress',
  'cluster-domain': 'dnsDomain',
  clusterDomain: 'dnsDomain',
  port: 'kubeletPort',
  'feature-gates': 'featureGates',
  featureGates: 'featureGates',
  'runtime-config': 'runtimeConfig',
  'listen-client-urls': 'etcdPort',
};

/** The services of a node with the arguments and fields of configuration that the user sets for them. */
export function withComponents(services: ServiceDefinition[], settings: Settings): ServiceDefinition[] {
  return services.map((service) => {
    const name = componentNames.find((each) => componentServices[each] === service.name);
    const given = name === undefined ? undefined : settings.components[name];
    if (name === undefined || given === undefined) return service;
    return {
      ...service,
      args: withArgs(name, service.args, given.args ?? {}),
      files: withConfig(name, service.files, given.config ?? {}),
    };
  });
}

function withArgs(name: ComponentName, ours: readonly string[], given: Record<string, ArgValue>): string[] {
  const { free = [], lists = [], taken = [] } = freedoms[name];
  return Object.entries(given).reduce<string[]>(
    (args, [flag, value]) => {
      const prefix = `--${flag}=`;
      const before = args.find((each) => each.startsWith(prefix));
      const words = Array.isArray(value) ? value : [String(value)];
      if (lists.includes(flag) && before !== undefined)
        return args.map((each) => (each === before ? `${before},${words.join(',')}` : each));
      if (!free.includes(flag) && (before !== undefined || taken.includes(flag)))
        throw refused(name, `the argument ${flag}`, flag);
      return [...args.filter((each) => each !== before), ...words.map((word) => `${prefix}${word}`)];
    },
    [...ours],
  );
}

function withConfig(
  name: ComponentName,
  files: GeneratedFile[],
  given: Record<string, unknown>,
): GeneratedFile[] {
  if (Object.keys(given).length === 0) return files;
  const { config, free = [] } = freedoms[name];
  if (config === undefined) {
    throw new UsageError(
      'setting-invalid',
      `components.${name}.config: ${componentServices[name]} has no configuration file`,
      `set arguments instead: components.${name}.args`,
    );
  }
  return files.map((file) => {
    if (!file.path.endsWith(`/${config}`)) return file;
    const ours = JSON.parse(file.content) as Record<string, unknown>;
    for (const field of Object.keys(given))
      if (field in ours && !free.includes(field)) throw refused(name, `the field ${field}`, field);
    const content = `${JSON.stringify({ ...ours, ...merged(ours, given) }, null, 2)}\n`;
    return { ...file, content };
  });
}

/** Maps such as evictionHard keep what is not named anew. */
function merged(ours: Record<string, unknown>, given: Record<string, unknown>): Record<string, unknown> {
  const isMap = (value: unknown): value is object =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  return Object.fromEntries(
    Object.entries(given).map(([field, value]) => {
      const before = ours[field];
      return [field, isMap(before) && isMap(value) ? { ...before, ...value } : value];
    }),
  );
}

function refused(name: ComponentName, what: string, key: string): UsageError {
  const setting = instead[key];
  return new UsageError(
    'setting-invalid',
    `components.${name}: ${what} of ${componentServices[name]} is the launcher's own`,
    setting === undefined ? 'remove it' : `use the setting ${setting} instead`,
  );
}
