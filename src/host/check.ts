import type { Cgroups } from './cgroup.js';
import type { Host } from './host.js';
import type { NamespaceTrial } from './namespace-trial.js';
import type { TrialUser } from './trial-namespace.js';

/**
 * One finding about the host, as `doctor` shows it. `blocked`: a cluster cannot start. `warning`: it works, with less.
 * `unknown`: it cannot be told, for one because of another fault.
 */
export type Check = {
  id: string;
  title: string;
  status: 'ok' | 'warning' | 'blocked' | 'unknown';
  /** What the host has. */
  found: string;
  /** Why a node needs it. */
  why: string;
  /** What to type, word for word; there when the status is warning or blocked. */
  fix?: string;
};

export type Finding = Pick<Check, 'status' | 'found' | 'fix'>;

export type CheckDefinition = {
  id: string;
  title: string;
  why: string;
  /** Whether each start of a cluster checks it, which must be quick, or only `doctor`. */
  atStart: boolean;
  look: (context: CheckContext) => Finding | Promise<Finding>;
};

/** Who asks, and what a cluster of theirs would use. */
export type CheckContext = {
  host: Host;
  env: Record<string, string | undefined>;
  user: TrialUser & { name: string };
  home: string;
  dataHome: string;
  stateHome: string;
  /** Where the Kubernetes API would listen; undefined while the user's own cluster does. */
  api: { address: string; port: number } | undefined;
  /** Where dockerd would listen; undefined without one, or while the user's own cluster's does. */
  dockerSocket: string | undefined;
  node: { path: string; version: string };
  /** Milliseconds since 1970. */
  now: number;
  cgroups: () => Promise<Cgroups>;
  runtimeDir: () => Promise<string>;
  /** Made once, however many checks ask. */
  namespaceTrial: () => Promise<NamespaceTrial>;
};

export const prepareFix = './run.sh --init-host';

export function ok(found: string): Finding {
  return { status: 'ok', found };
}

export function warning(found: string, fix: string): Finding {
  return { status: 'warning', found, fix };
}

export function blocked(found: string, fix: string): Finding {
  return { status: 'blocked', found, fix };
}

export function unknown(found: string): Finding {
  return { status: 'unknown', found };
}
