import { isNumber, isString, listOf, objectOf, oneOf, optional } from '../lib/shape.js';
import { policyEnforcements, type PolicyEnforcement } from '../settings/features.js';
import type { Role } from '../settings/role.js';
import { servicePhases, type ServiceStatus } from '../supervisor/definition.js';

export const instancePhases = [
  'starting',
  'running',
  /** A service is not ready. */
  'degraded',
  /** The whole node is being started again. */
  'rebuilding',
  'stopping',
] as const;
export type InstancePhase = (typeof instancePhases)[number];

/** What the launcher reports of its instance. */
export type InstanceStatus = {
  /** Name of the instance. */
  cluster: string;
  phase: InstancePhase;
  /** Milliseconds since the epoch. */
  startedAt: number;
  readyAt?: number;
  launcherPid: number;
  preset: string;
  /** Missing without Kubernetes, and until it is planned. */
  role?: Role;
  nodeName?: string;
  apiServer?: string;
  /** Missing like `role`. */
  networkPolicies?: PolicyEnforcement;
  /** Missing where the runtime has no dockerd. */
  dockerSocket?: string;
  /** Through which images are pulled, without the password. */
  proxy?: string;
  /** Ports of the host's loopback that pods reach. */
  hostAccess?: number[];
  /** Whether pods have limits. */
  cgroups: 'delegated' | 'none';
  /** How often the whole node has been started again because it was lost, and why the last time. */
  rebuilds: number;
  lastRebuild?: string;
  services: ServiceStatus[];
};

export const isServiceStatus = objectOf<ServiceStatus>({
  name: isString,
  phase: oneOf(...servicePhases),
  pid: optional(isNumber),
  restarts: isNumber,
  since: isNumber,
  startedAt: optional(isNumber),
  reachableAt: optional(isNumber),
  readyAt: optional(isNumber),
  lastExit: optional(isString),
});

export const isInstanceStatus = objectOf<InstanceStatus>({
  cluster: isString,
  phase: oneOf(...instancePhases),
  startedAt: isNumber,
  readyAt: optional(isNumber),
  launcherPid: isNumber,
  preset: isString,
  role: optional(oneOf('control-plane', 'worker')),
  nodeName: optional(isString),
  apiServer: optional(isString),
  networkPolicies: optional(oneOf(...policyEnforcements)),
  dockerSocket: optional(isString),
  proxy: optional(isString),
  hostAccess: optional(listOf(isNumber)),
  cgroups: oneOf('delegated', 'none'),
  rebuilds: isNumber,
  lastRebuild: optional(isString),
  services: listOf(isServiceStatus),
});
