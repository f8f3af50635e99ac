import type { Report } from '../lib/events.js';
import type { ClaimedPorts } from '../rootless/claim.js';

/** What acts on the cluster through its API, within the launcher, while a node lives. */
export type Worker = {
  name: string;
  /**
   * `bring-up`: from when the API answers; the node is up once its run has ended. `api`: from when the API answers until
   * the node ends. `up`: from when the node is up until it ends.
   */
  stage: 'bring-up' | 'api' | 'up';
  /** Run to its end before the services start, and before one of them is started again. Does not fail. */
  before?: (context: WorkerContext, signal: AbortSignal) => Promise<void>;
  /** Ends early when `signal` is aborted. */
  run(context: WorkerContext, signal: AbortSignal): Promise<void>;
};

export type WorkerContext = {
  /** When this life of the namespaces began: what the API reports of earlier times does not count. */
  since: Date;
  ports: ClaimedPorts;
  report: Report;
  /** Stops a service and starts it again. */
  restart: (service: string) => void;
};
