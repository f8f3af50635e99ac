/**
 * What the supervisor is told about a service. Plain data, so that a whole plan can be written to a file, read in
 * another process and compared in a test.
 */
export type ServiceDefinition = {
  name: string;
  /** A daemon runs until it is stopped; a task runs once, to exit code 0. */
  kind: 'daemon' | 'task';
  /** Absolute path of the program. */
  command: string;
  args: string[];
  /** The whole environment of the process; nothing is inherited. */
  env: Record<string, string>;
  /**
   * By name: what must have happened to the other service before this one starts for the first time. What has happened
   * stays so: when the other one dies later, this one neither stops nor waits.
   */
  dependsOn: Record<string, DependencyCondition>;
  /** Written before each start. */
  files: GeneratedFile[];
  /** Run to exit code 0 before each start, with the environment and the log of the service. */
  before?: { command: string; args: string[] };
  /** Tells when a daemon can be reached, on its way to being ready, for those who depend on no more. Not used for tasks. */
  reachable?: Probe;
  /** Tells when a daemon is ready; without one it is ready as soon as it runs. Not used for tasks. */
  ready?: Probe;
  /** Asked while a daemon is ready: one that has stopped to answer is ended and started again. */
  live?: LivenessProbe;
  restart: RestartPolicy;
  stop: StopPolicy;
};

export type DependencyCondition = 'started' | 'reachable' | 'ready' | 'completed';

/** Written atomically with exactly this mode, in a directory that is made 0700 where it is missing. */
export type GeneratedFile = { path: string; content: string; mode: number };

export type Probe = ProbeTarget & {
  periodMs: number;
  /** One attempt's limit. */
  timeoutMs: number;
  /** How long the service may take from spawn to ready before it counts as failed and is restarted. */
  startupMs: number;
};

export type LivenessProbe = ProbeTarget & {
  /** From the beginning of one attempt to the next. */
  periodMs: number;
  /** One attempt's limit. */
  timeoutMs: number;
  /** So many attempts in a row must fail. */
  failureThreshold: number;
};

export type ProbeTarget =
  /** Ready when a GET answers with a 2xx status. `caFile` verifies an https server; `socket` is a unix socket to ask on. */
  | { type: 'http'; url: string; caFile?: string; socket?: string }
  | { type: 'tcp'; host: string; port: number }
  | { type: 'unix'; path: string }
  /** Ready when the HTTP/2 server behind a unix socket, as each gRPC server is one, greets back. */
  | { type: 'http2'; path: string }
  | { type: 'file'; path: string };

export type RestartPolicy = {
  /**
   * `always`: a daemon that must run. `on-failure`: a task that may be tried again. `never`. A task that has exited with
   * 0 is done under each of them.
   */
  when: 'always' | 'on-failure' | 'never';
  /** First and longest back-off in milliseconds; a service that had been ready restarts at once, 12 times a minute. */
  backoff: { initialMs: number; maxMs: number };
};

export type StopPolicy = {
  signal: 'SIGTERM' | 'SIGINT' | 'SIGQUIT';
  /** Milliseconds between `signal` and SIGKILL. */
  graceMs: number;
};

export const servicePhases = [
  'waiting', // for its dependencies
  'starting', // spawned, not ready yet
  'ready',
  'completed', // a task that exited with 0
  'backoff', // died; will be started again
  'stopping',
  'stopped',
  'failed', // may not be tried again, or a task whose program cannot be executed at all
] as const;
export type ServicePhase = (typeof servicePhases)[number];

export type ServiceStatus = {
  name: string;
  phase: ServicePhase;
  pid?: number;
  /** How often it was started again since the supervisor began. */
  restarts: number;
  /** Milliseconds since the epoch of the last change to `phase`. */
  since: number;
  /** Milliseconds since the epoch: spawn, reachability and readiness of the present process. */
  startedAt?: number;
  reachableAt?: number;
  readyAt?: number;
  /** Why the last process ended: `exit code 1`, `signal SIGKILL`, `not ready after 60 s: …`, `not alive: …`, `cannot execute: …`. */
  lastExit?: string;
};

/** What the supervisor reports, each time something changes. */
export type SupervisorEvent =
  | { type: 'service'; status: ServiceStatus }
  /** The last one: no process is left. */
  | { type: 'stopped'; reason: string };
