import { messageOf } from '../lib/errors.js';
import type { ServiceDefinition, ServicePhase, ServiceStatus, StopPolicy } from './definition.js';
import { writeFiles } from './generated-files.js';
import { patient, watchLiveness } from './liveness.js';
import { logPath, openLog } from './log-file.js';
import { waitUntilReady } from './probe.js';
import {
  describeExit,
  NotExecutableError,
  startGroup,
  type Exit,
  type ProcessGroup,
} from './process-group.js';

/** How one process went, from being started to being gone. `hopeless`: it cannot be executed at all. */
export type Outcome = { succeeded: boolean; wasReady: boolean; hopeless: boolean; reason: string };

/** Hears each phase that the process brings its service into. */
export type Enter = (phase: ServicePhase, change?: Partial<ServiceStatus>) => void;

/** Runs the program of a service once, to its end. Undefined when it was to be stopped before it had started. */
export async function runProcess(
  definition: ServiceDefinition,
  logs: string,
  enter: Enter,
  stopping: AbortSignal,
): Promise<Outcome | undefined> {
  enter('starting');
  const started = await start(definition, logs, stopping).catch((error: unknown): Outcome => ({
    ...failed(messageOf(error)),
    hopeless: error instanceof NotExecutableError,
  }));
  if (started === undefined || 'reason' in started) return started;

  enter('starting', { pid: started.pid, startedAt: Date.now() });
  let wasReady = false;
  const fault = await watch(definition, started, stopping, (phase, change) => {
    wasReady ||= phase === 'ready';
    enter(phase, change);
  });
  if (stopping.aborted || fault !== undefined) enter('stopping');
  const exit = await terminate(started, definition.stop);
  return {
    succeeded: fault === undefined && exit.code === 0,
    wasReady,
    hopeless: false,
    reason: fault ?? describeExit(exit),
  };
}

const failed = (reason: string): Outcome => ({ succeeded: false, wasReady: false, hopeless: false, reason });

/** Writes its files, runs what comes before it, and starts it. */
async function start(
  definition: ServiceDefinition,
  logs: string,
  stopping: AbortSignal,
): Promise<ProcessGroup | Outcome | undefined> {
  await writeFiles(definition.files);
  const log = await openLog(logPath(logs, definition.name));
  try {
    const fault = await prepare(definition, log.fd, stopping);
    if (stopping.aborted) return undefined;
    if (fault !== undefined) return failed(fault);
    return await startGroup(definition, ['ignore', log.fd, log.fd]);
  } finally {
    await log.close();
  }
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

/** Until the process has ended or must be ended; returns why, when that is a fault of its own. */
async function watch(
  definition: ServiceDefinition,
  group: ProcessGroup,
  stopping: AbortSignal,
  enter: Enter,
): Promise<string | undefined> {
  const began = performance.now();
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
      if (definition.live) {
        await watchLiveness(patient(definition.live, performance.now() - began), watching.signal);
      }
    }
    await over;
    return undefined;
  } catch (error) {
    return watching.signal.aborted ? undefined : messageOf(error);
  } finally {
    stopping.removeEventListener('abort', stopWatching);
  }
}

/** Politely, then by force; at once when it is gone already. */
async function terminate(group: ProcessGroup, { signal, graceMs }: StopPolicy): Promise<Exit> {
  group.signal(signal);
  const force = setTimeout(() => group.signal('SIGKILL'), graceMs);
  const exit = await group.ended;
  clearTimeout(force);
  return exit;
}
