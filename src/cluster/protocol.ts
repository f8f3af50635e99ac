import type { NamespaceSetup } from '../rootless/child.js';
import type { KubeObject } from '../kube/object.js';
import type { Event } from '../lib/events.js';
import type { OwnedPort, PortSpec } from '../rootless/port-spec.js';
import type { ExposePlan } from './exposer.js';
import type { Role } from './role.js';
import type { ServiceDefinition, ServiceStatus } from '../supervisor/definition.js';

/** What is needed to open the namespaces; known before certificates and images are. */
export type NamespacePlan = {
  cluster: string;
  preset: string;
  rootlesskit: { command: string; args: string[]; env: Record<string, string>; cwd: string };
  setup: NamespaceSetup;
  /** Folder of the logs, one file a service. */
  logs: string;
  /** Exists while the namespaces are prepared and can be entered. */
  readyFile: string;
  runtimeDir: string;
  rootlesskitDir: string;
  controlSocket: string;
  /** What a service puts where programs of the host look for it, and takes away again unless it is killed. */
  serviceSockets: string[];
  lock: string;
  cgroups: 'delegated' | 'none';
  ports: PortPlan;
};

/** The ports that the launcher looks after. */
export type PortPlan = {
  /** RootlessKit's API. */
  apiSocket: string;
  /** Record of what was published by hand. */
  record: string;
  /** What RootlessKit publishes by its own arguments. */
  builtIn: OwnedPort[];
  /** Published at each start because the description of the cluster says so. */
  config: PortSpec[];
};

/** What runs inside. */
export type ClusterPlan = {
  services: ServiceDefinition[];
  /** Missing for a container runtime alone. */
  kubernetes?: KubernetesPlan;
};

export type KubernetesPlan = {
  role: Role;
  nodeName: string;
  /** None on a worker: they are the control plane's to apply. */
  addons: KubeObject[];
  /** As seen from the host. */
  api: ApiAccess;
  /** Unless Services and host ports are not to be published. */
  expose?: ExposePlan;
  /** Where other nodes may join: who answers their requests for certificates. */
  approver?: ApiAccess;
};

/** Where an API server is and who we are to it. */
export type ApiAccess = { server: string; caFile: string; certFile: string; keyFile: string };

/** From the command line's process to the launcher, by IPC. */
export type FrontMessage =
  /** `retain`: a cluster that fails to start is left as it is. */
  | { type: 'open'; plan: NamespacePlan; retain: boolean }
  | { type: 'run'; plan: ClusterPlan }
  /** From now on the launcher outlives the command. */
  | { type: 'detach' }
  | { type: 'stop' };

/** From the launcher to the command line's process. */
export type LauncherMessage =
  { type: 'event'; event: Event } | { type: 'ready' } | { type: 'failed'; message: string; fix?: string };

/** From the launcher to the supervisor in the namespaces, one JSON a line on its stdin. */
export type SupervisorCommand =
  | { type: 'prepare'; setup: NamespaceSetup; readyFile: string; logs: string }
  | { type: 'start'; services: ServiceDefinition[] }
  | { type: 'restart'; name: string }
  | { type: 'stop' };

/** Back, on its stdout. */
export type SupervisorReport =
  | { type: 'prepared' }
  | { type: 'service'; status: ServiceStatus }
  | { type: 'error'; message: string }
  | { type: 'stopped' };

/** Asked of the launcher through its control socket. */
export type ControlRequest =
  | { type: 'status' }
  | { type: 'stop' }
  /** One service, or everything; answered when it is ready again. */
  | { type: 'restart'; name?: string }
  /** Who asked for which port; answered with `OwnedPort[]`. */
  | { type: 'ports' }
  /** A port has been published by hand: publish it at each start, or no longer. */
  | { type: 'keep-port'; spec: PortSpec }
  | { type: 'forget-port'; spec: PortSpec }
  /** dockerd is about to start: what its predecessor has left published is to end. */
  | { type: 'take-back-ports' };

export type ClusterPhase =
  | 'starting'
  | 'running'
  /** A service is not ready. */
  | 'degraded'
  /** The whole node is being started again. */
  | 'rebuilding'
  | 'stopping';

export type ClusterStatus = {
  cluster: string;
  phase: ClusterPhase;
  /** Milliseconds since the epoch. */
  startedAt: number;
  readyAt?: number;
  launcherPid: number;
  preset: string;
  /** Missing without Kubernetes, and until it is planned. */
  role?: Role;
  nodeName?: string;
  apiServer?: string;
  /** Whether pods have limits. */
  cgroups: 'delegated' | 'none';
  /** How often the whole node has been started again because it was lost, and why the last time. */
  rebuilds: number;
  lastRebuild?: string;
  services: ServiceStatus[];
};
