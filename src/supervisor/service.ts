import { nextRestart, noRestarts } from './backoff.js';
import type { Clock } from './clock.js';
import type { ServiceDefinition, ServicePhase, ServiceStatus } from './definition.js';
import { runProcess, type Outcome } from './service-process.js';

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

  /** Runs it again and again until it must stop, is done, or may not be tried again. */
  async function keepRunning(stopping: AbortSignal): Promise<void> {
    let history = noRestarts;
    for (;;) {
      const outcome = await runProcess(definition, context.logs, enter, stopping);
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
