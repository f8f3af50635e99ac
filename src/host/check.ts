import { u7s, type Fix } from '../lib/fixes.js';
import type { Cgroups } from './cgroup.js';
import type { Host } from './host.js';
import type { NamespaceTrial } from './namespace-trial.js';
import type { TrialUser } from './trial-namespace.js';

/**
 * One finding about the host, as `doctor` shows it. `blocked`: a node cannot start. `warning`: it works, but lacks
 * something. `unknown`: nothing can be said, for example because of another fault.
 */
export type Check = {
  id: string;
  title: string;
  status: 'ok' | 'warning' | 'blocked' | 'unknown';
  /** What the host has. */
  found: string;
  /** Why a node needs it. */
  why: string;
  /** What helps, the best fix first; at least one when the status is warning or blocked. */
  fixes: readonly Fix[];
};

export type Finding = Pick<Check, 'status' | 'found' | 'fixes'>;

export type CheckDefinition = {
  id: string;
  title: string;
  why: string;
  /** Whether each start checks it, which must be quick, or only `doctor`. */
  atStart: boolean;
  look: (context: CheckContext) => Finding | Promise<Finding>;
};

/** Who asks, and what a node of theirs would use. */
export type CheckContext = {
  host: Host;
  env: Record<string, string | undefined>;
  user: TrialUser & { name: string };
  home: string;
  dataHome: string;
  stateHome: string;
  /** Where the Kubernetes API would listen; undefined while the user's own instance does. */
  api: { address: string; port: number } | undefined;
  /** Where dockerd would listen; undefined without one, or while that of the user's own instance does. */
  dockerSocket: string | undefined;
  node: { path: string; version: string };
  /** Milliseconds since 1970. */
  now: number;
  cgroups: () => Promise<Cgroups>;
  runtimeDir: () => Promise<string>;
  /** Made once, however many checks ask for it. */
  namespaceTrial: () => Promise<NamespaceTrial>;
};

/** Fixes most of what only root can fix. */
export const prepare: Fix = u7s(['init-host'], { about: 'host' });

export function ok(found: string): Finding {
  return { status: 'ok', found, fixes: [] };
}

export function warning(found: string, ...fixes: Fix[]): Finding {
  return { status: 'warning', found, fixes };
}

export function blocked(found: string, ...fixes: Fix[]): Finding {
  return { status: 'blocked', found, fixes };
}

export function unknown(found: string): Finding {
  return { status: 'unknown', found, fixes: [] };
}
