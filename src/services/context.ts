import { join } from 'node:path';
import type { Netfilter } from '../rootless/netfilter.js';
import type { BundledImage } from '../images/bundled.js';
import type { RegistryFiles } from '../images/registries/render.js';
import type { Role } from '../settings/role.js';
import type { Settings } from '../settings/schema.js';
import { chosenPrograms } from '../rootless/child.js';
import type {
  DependencyCondition,
  LivenessProbe,
  Probe,
  ServiceDefinition,
} from '../supervisor/definition.js';

/** What the command lines and files of services are made from. Every path is as seen inside the namespaces. */
export type ServiceContext = {
  settings: Settings;
  /** Whether this node runs the control plane, or one on another host does. */
  role: Role;
  /** The node's address in the cluster: the host's if there can be other nodes, else that of slirp4netns' tap. */
  nodeAddress: string;
  /** Where this node's components find the API. */
  apiServer: string;
  /** `none`: no cgroup of ours to write to, so limits are off. */
  cgroups: 'delegated' | 'none';
  snapshotter: Snapshotter;
  netfilter: Netfilter;
  pauseImage: string;
  /** Made from our own binaries; imported if they are missing. */
  images: BundledImage[];
  /** Absolute path of a program of the artifacts. */
  binary: (name: string) => string;
  /** State folders of this instance. */
  pki: string;
  etc: string;
  /** Folder of what the user sets for container runtimes; need not be there. */
  runtimeConfig: string;
  registries: RegistryFiles;
  /** Folder of the program that the kubelet asks for credentials: Node.js. */
  credentialPrograms: string;
  etcdData: string;
  /** Folder of the logs, one file a service. */
  logs: string;
};

/** How the layers of images are stacked, best first: by the kernel, by a FUSE file system, by copying. */
export type Snapshotter = 'overlayfs' | 'fuse-overlayfs' | 'native';

/** Of every server with TLS: 1.3 has no weak ciphers to leave out. */
export const tlsMinVersion = 'VersionTLS13';

/** Only a daemon that hangs takes this long. `up --timeout` limits a start on a slow machine. */
export const startupMs = 600_000;

/** How a daemon's readiness is probed if no start waits for the result. */
export const readiness = {
  periodMs: 500,
  timeoutMs: 5_000,
  startupMs,
} satisfies Partial<Probe>;

/** A daemon that does not answer for 20 s hangs; a busy machine is slow, but not that slow. */
export const liveness = {
  periodMs: 10_000,
  timeoutMs: 10_000,
  failureThreshold: 2,
} satisfies Partial<LivenessProbe>;

/** The programs chosen for the node, then the folders in which distributions keep ip, iptables, mount and the like. */
export const systemPath = `${chosenPrograms}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;

/**
 * Of every service. Programs such as runc, skopeo and CRI-O keep their runtime files in the namespaces' own /run. Without the
 * variable some of them would find the user's folder, and leave files there.
 */
export const serviceEnv = { PATH: systemPath, XDG_RUNTIME_DIR: '/run' };

type DaemonOptions = Pick<ServiceDefinition, 'command' | 'args'> &
  Partial<Pick<ServiceDefinition, 'reachable' | 'ready' | 'live' | 'files' | 'before' | 'env'>> & {
    dependsOn?: Record<string, DependencyCondition>;
    /** Between the stop signal and SIGKILL. */
    graceMs?: number;
  };

/** A daemon with the usual policies. */
export function daemon(name: string, options: DaemonOptions): ServiceDefinition {
  const { graceMs = 5_000, ...rest } = options;
  return {
    name,
    kind: 'daemon',
    dependsOn: {},
    files: [],
    ...rest,
    env: { ...serviceEnv, ...options.env },
    restart: { when: 'always', backoff: { initialMs: 200, maxMs: 10_000 } },
    stop: { signal: 'SIGTERM', graceMs },
  };
}

/** On the node that runs the control plane: what a service waits for before it starts. */
export function afterApiServer(
  { role }: ServiceContext,
  condition: DependencyCondition,
): Record<string, DependencyCondition> {
  return role === 'control-plane' ? { 'kube-apiserver': condition } : {};
}

export const pkiFile = (context: ServiceContext, name: string): string => join(context.pki, name);
export const etcFile = (context: ServiceContext, name: string): string => join(context.etc, name);

/** JSON is YAML: every Kubernetes component reads its configuration file in it. */
export function jsonFile(path: string, value: unknown): { path: string; content: string; mode: number } {
  return { path, content: `${JSON.stringify(value, null, 2)}\n`, mode: 0o600 };
}

/** `--feature-gates`, where some are set. */
export function gateFlags({ settings: { featureGates } }: ServiceContext): Record<string, string> {
  const words = Object.entries(featureGates).map(([name, on]) => `${name}=${on}`);
  return words.length === 0 ? {} : { 'feature-gates': words.join(',') };
}

export const flags = (values: Record<string, string | number | boolean>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);
