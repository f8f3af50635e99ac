import { U7sError } from '../lib/errors.js';
import { systemClock, type Clock } from './clock.js';
import type { DependencyCondition, ServiceDefinition, ServiceStatus, SupervisorEvent } from './definition.js';
import { makeMissingDir } from './generated-files.js';
import { conditionsMet, dependentsOf, startOrder } from './graph.js';
import { keepRotated, logPath } from './log-file.js';
import { createService, type Service } from './service.js';

export type SupervisorOptions = {
  /** Folder of the log files, `<service>.log`; made 0700 where it is missing. */
  logs: string;
  /** Told every change. Must not throw. */
  emit: (event: SupervisorEvent) => void;
  clock?: Clock;
  /** Numbers from 0 to 1, for the jitter of the back-off. */
  random?: () => number;
};

export type Supervisor = {
  /** Starts each service as soon as its dependencies allow it. Returns before any is ready: see the events. */
  start(): Promise<void>;
  /** Stops each service once all its dependents have stopped. Resolves when no process is left; calling it again waits for the same. */
  stop(reason: string): Promise<void>;
  /** Stops one service and starts it again, its dependents staying as they are. Resolves when it is being started. */
  restart(name: string): Promise<void>;
  /** In the order of start. */
  status(): ServiceStatus[];
};

/** Throws when the definitions do not make a graph that can be started. */
export function createSupervisor(
  definitions: readonly ServiceDefinition[],
  options: SupervisorOptions,
): Supervisor {
  const { logs, emit, clock = systemClock, random = Math.random } = options;
  const order = startOrder(definitions);
  const dependents = dependentsOf(definitions);
  const happened = new Map<string, Set<DependencyCondition>>(order.map((name) => [name, new Set()]));
  const unstarted = new Map(definitions.map((definition) => [definition.name, definition.dependsOn]));
  let endRotation: (() => void) | undefined;
  let stopped: Promise<void> | undefined;

  const onChange = (status: ServiceStatus): void => {
    emit({ type: 'service', status });
    for (const condition of conditionsMet(status)) happened.get(status.name)?.add(condition);
    startWhatCan();
  };
  const services = new Map(
    definitions.map((definition) => [
      definition.name,
      createService(definition, { logs, onChange, clock, random }),
    ]),
  );
  const service = (name: string): Service => {
    const found = services.get(name);
    if (!found)
      throw new U7sError('no-such-service', `there is no service ${name}`, {
        fixes: [`name one of: ${order.join(', ')}`],
      });
    return found;
  };

  function startWhatCan(): void {
    if (stopped || !endRotation) return;
    for (const [name, dependsOn] of unstarted) {
      const ready = Object.entries(dependsOn).every(([other, condition]) =>
        happened.get(other)?.has(condition),
      );
      if (!ready) continue;
      unstarted.delete(name);
      service(name).start();
    }
  }

  async function stopAll(reason: string): Promise<void> {
    endRotation?.();
    const stopping = new Map<string, Promise<void>>();
    const stopOne = (name: string): Promise<void> => {
      const begun =
        stopping.get(name) ??
        Promise.all((dependents.get(name) ?? []).map(stopOne)).then(() => service(name).stop());
      stopping.set(name, begun);
      return begun;
    };
    await Promise.all(order.map(stopOne));
    emit({ type: 'stopped', reason });
  }

  return {
    async start() {
      await makeMissingDir(logs);
      if (stopped || endRotation) return;
      endRotation = keepRotated(order.map((name) => logPath(logs, name)));
      startWhatCan();
    },
    stop: (reason) => (stopped ??= stopAll(reason)),
    async restart(name) {
      const chosen = service(name);
      if (unstarted.has(name)) return;
      await chosen.stop();
      if (stopped)
        throw new U7sError('stopping', `${name} cannot be restarted while everything is being stopped`);
      chosen.start();
    },
    status: () => order.map((name) => service(name).status()),
  };
}
