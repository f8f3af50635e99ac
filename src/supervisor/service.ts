import { messageOf } from '../lib/errors.js';
import { nextRestart, noRestarts } from './backoff.js';
import type { Clock } from './clock.js';
import type { ServiceDefinition, ServicePhase, ServiceStatus, StopPolicy } from './definition.js';
import { writeFiles } from './generated-files.js';
import { watchLiveness } from './liveness.js';
import { logPath, openLog } from './log-file.js';
import { waitUntilReady } from './probe.js';
import {
  describeExit,
  NotExecutableError,
  startGroup,
  type Exit,
  type ProcessGroup,
} from './process-group.js';

export type ServiceContext = {
  /** Folder of the log files. */
  logs: string;
  onChange: (status: ServiceStatus) => void;
  clock: Clock;
  random: () => number;
};

export type Service = {
  status(): ServiceStatus;
  /** Without effect while it runs. */
  start(): void;
  /** In any phase; resolves when no process is left. */
  stop(): Promise<void>;
};

/** How one process went, from being started to being gone. */
type Outcome = { succeeded: boolean; wasReady: boolean; hopeless: boolean; reason: string };

/**
 *                ┌──────────── backoff ◄──────────┐ died
 *                ▼                                │
 *   waiting ──► starting ─────────► ready ────────┤
 *                │                   │            ▼ died and may not be tried again, or a task that is done
 *                └───► stopping ◄────┘           completed, stopped, failed
 *                         └────► stopped
 */
export function createService(definition: ServiceDefinition, context: ServiceContext): Service {
  const { name } = definition;
  let status: ServiceStatus = { name, phase: 'waiting', restarts: 0, since: Date.now() };
  let startedBefore = false;
  let running: { stopping: AbortController; ended: Promise<void> } | undefined;

  const enter = (phase: ServicePhase, change: Partial<ServiceStatus> = {}): void => {
    const since = phase === status.phase ? status.since : Date.now();
    status = { ...status, ...change, phase, since };
    context.onChange(status);
  };

  /** Runs it again and again until it is to be stopped, is done, or may not be tried again. */
  async function keepRunning(stopping: AbortSignal): Promise<void> {
    let history = noRestarts;
    for (;;) {
      const outcome = await runOnce(stopping);
      status = withoutProcess(status);
      if (!outcome) return enter('stopped');
      const lastExit = outcome.reason;
      if (stopping.aborted) return enter('stopped', { lastExit });
      if (!mayTryAgain(definition, outcome)) return enter(lastPhase(definition, outcome), { lastExit });

      const death = { wasReady: outcome.wasReady, now: context.clock.now() };
      const next = nextRestart(history, death, definition.restart.backoff, context.random);
      history = next.history;
      enter('backoff', { lastExit });
      if (next.delayMs > 0) await context.clock.sleep(next.delayMs, stopping).catch(() => {});
      if (stopping.aborted) return enter('stopped');
      status = { ...status, restarts: status.restarts + 1 };
    }
  }

  /** Undefined when it was to be stopped before it had started. */
  async function runOnce(stopping: AbortSignal): Promise<Outcome | undefined> {
    enter('starting');
    let group: ProcessGroup;
    try {
      await writeFiles(definition.files);
      const log = await openLog(logPath(context.logs, name));
      try {
        const fault = await prepare(definition, log.fd, stopping);
        if (stopping.aborted) return undefined;
        if (fault !== undefined) return { succeeded: false, wasReady: false, hopeless: false, reason: fault };
        group = await startGroup(definition, ['ignore', log.fd, log.fd]);
      } finally {
        await log.close();
      }
    } catch (error) {
      const hopeless = error instanceof NotExecutableError;
      return { succeeded: false, wasReady: false, hopeless, reason: messageOf(error) };
    }

    enter('starting', { pid: group.pid, startedAt: Date.now() });
    const fault = await watch(group, stopping);
    if (stopping.aborted || fault !== undefined) enter('stopping');
    const exit = await terminate(group, definition.stop);
    return {
      succeeded: fault === undefined && exit.code === 0,
      wasReady: status.readyAt !== undefined,
      hopeless: false,
      reason: fault ?? describeExit(exit),
    };
  }

  /** Until the process has ended or is to be ended; returns why, when that is a fault of its own. */
  async function watch(group: ProcessGroup, stopping: AbortSignal): Promise<string | undefined> {
    const watching = new AbortController();
    const over = new Promise<void>((resolve) => watching.signal.addEventListener('abort', () => resolve()));
    const stopWatching = (): void => watching.abort();
    stopping.addEventListener('abort', stopWatching);
    void group.ended.then(stopWatching);
    try {
      if (stopping.aborted) return undefined;
      if (definition.kind === 'daemon') {
        if (definition.reachable) {
          await waitUntilReady(definition.reachable, watching.signal);
          enter('starting', { reachableAt: Date.now() });
        }
        if (definition.ready) await waitUntilReady(definition.ready, watching.signal);
        enter('ready', { readyAt: Date.now() });
        if (definition.live) await watchLiveness(definition.live, watching.signal);
      }
      await over;
      return undefined;
    } catch (error) {
      return watching.signal.aborted ? undefined : messageOf(error);
    } finally {
      stopping.removeEventListener('abort', stopWatching);
    }
  }

  return {
    status: () => status,
    start() {
      if (running) return;
      if (startedBefore) status = { ...status, restarts: status.restarts + 1 };
      startedBefore = true;
      const stopping = new AbortController();
      running = { stopping, ended: keepRunning(stopping.signal).finally(() => (running = undefined)) };
    },
    async stop() {
      running?.stopping.abort();
      if (running) await running.ended;
      else if (status.phase === 'waiting') enter('stopped');
    },
  };
}

/** Runs what comes before the program; returns what is wrong with it. */
async function prepare(
  { before, env }: ServiceDefinition,
  log: number,
  stopping: AbortSignal,
): Promise<string | undefined> {
  if (before === undefined || stopping.aborted) return undefined;
  const group = await startGroup({ ...before, env }, ['ignore', log, log]);
  const kill = (): void => group.signal('SIGKILL');
  stopping.addEventListener('abort', kill, { once: true });
  const exit = await group.ended;
  stopping.removeEventListener('abort', kill);
  return exit.code === 0 ? undefined : `what comes before it ended with ${describeExit(exit)}`;
}

/** Politely, then by force; at once when it is gone already. */
async function terminate(group: ProcessGroup, { signal, graceMs }: StopPolicy): Promise<Exit> {
  group.signal(signal);
  const force = setTimeout(() => group.signal('SIGKILL'), graceMs);
  const exit = await group.ended;
  clearTimeout(force);
  return exit;
}

/** A missing program may be put in place, and a daemon must run: it is tried again. A task reports the fault at once. */
function mayTryAgain({ kind, restart }: ServiceDefinition, { succeeded, hopeless }: Outcome): boolean {
  if (kind === 'task' && (succeeded || hopeless)) return false;
  return restart.when === 'always' || (restart.when === 'on-failure' && !succeeded);
}

function lastPhase({ kind }: ServiceDefinition, { succeeded }: Outcome): ServicePhase {
  if (!succeeded) return 'failed';
  return kind === 'task' ? 'completed' : 'stopped';
}

function withoutProcess({
  pid: _pid,
  startedAt: _startedAt,
  reachableAt: _reachableAt,
  readyAt: _readyAt,
  ...rest
}: ServiceStatus): ServiceStatus {
  return rest;
}
