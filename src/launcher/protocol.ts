import type { NamespaceSetup } from '../rootless/child.js';
import type { Event } from '../lib/events.js';
import type { Fix } from '../lib/fixes.js';
import type { PortSpec } from '../rootless/port-spec.js';
import type { Role } from '../settings/role.js';
import type { NamespacePlan, ClusterPlan } from '../plan/types.js';
import type { ServiceDefinition, ServiceStatus } from '../supervisor/definition.js';

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
  | { type: 'event'; event: Event }
  | { type: 'ready' }
  | { type: 'failed'; message: string; code: string; fixes: readonly Fix[] };

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
