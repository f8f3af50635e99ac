import type { Report } from '../lib/events.js';
import type { Paths } from '../settings/paths.js';

/** What every verb is given: which instance it is about, and whom it works for. */
export type InstanceContext = {
  /** What `--cluster` names. */
  name: string;
  paths: Paths;
  env: Record<string, string | undefined>;
  /** Folder of this installation: bin/, config/, build/ … */
  projectRoot: string;
  entries: Entries;
  /** Where the person's own kubeconfig is. */
  kubeconfig: KubeconfigTarget;
  /** Where the person's docker keeps its contexts. */
  dockerConfig: string;
  report: Report;
  /** Aborted when the person wants no more of it. */
  signal: AbortSignal;
};

/** Programs of ours that are executed as processes of their own, by path. */
export type Entries = {
  launch: string;
  supervise: string;
  takeBackPorts: string;
  registryCredentials: string;
};

/** Where the user wants it: `--kubeconfig`, else the value of `$KUBECONFIG`, else kubectl's default. */
export type KubeconfigTarget = { explicit?: string | undefined; env?: string | undefined };
