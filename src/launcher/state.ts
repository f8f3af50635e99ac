import { EventEmitter, once } from 'node:events';
import { U7sError } from '../lib/errors.js';
import type { ServiceStatus } from '../supervisor/definition.js';
import type { InstancePhase, InstanceStatus } from './status.js';

export type InstanceState = {
  readonly services: ReadonlyMap<string, ServiceStatus>;
  /** When the present tree was started: what the API tells of earlier times does not count. */
  readonly treeSince: Date;
  /** Whether the present tree has been brought up. */
  readonly isUp: boolean;
  /** Whether any tree ever was. */
  readonly wasReady: boolean;
  treeStarted(): void;
  /** `lost`: not because we asked. */
  treeEnded(why: string, lost: boolean): void;
  broughtUp(): void;
  /** Returns whether the service has entered another phase. */
  heard(status: ServiceStatus): boolean;
  stopping(): void;
  summary(): Pick<
    InstanceStatus,
    'phase' | 'startedAt' | 'readyAt' | 'rebuilds' | 'lastRebuild' | 'services'
  >;
  /** Calls `listener` at each change, for good. */
  onChange(listener: () => void): void;
  /** Waits until `isTrue`, which is looked at at each change. Throws when the cluster is being stopped. */
  until(isTrue: () => boolean, signal: AbortSignal): Promise<void>;
};

/** How the cluster stands, from what is heard of it. */
export function createInstanceState(): InstanceState {
  const startedAt = Date.now();
  const services = new Map<string, ServiceStatus>();
  /** How services of earlier trees ended. */
  const exitsBefore = new Map<string, string>();
  const changes = new EventEmitter();
  let treeSince = new Date();
  let treeRuns = false;
  let isUp = false;
  let isStopping = false;
  let readyAt: number | undefined;
  let rebuilds = 0;
  let lastRebuild: string | undefined;
  const changed = (): void => void changes.emit('change');

  function phase(): InstancePhase {
    if (isStopping) return 'stopping';
    if (readyAt === undefined) return 'starting';
    if (!isUp) return 'rebuilding';
    const healthy = [...services.values()].every(({ phase }) => phase === 'ready' || phase === 'completed');
    return treeRuns && services.size > 0 && healthy ? 'running' : 'degraded';
  }

  return {
    services,
    get treeSince() {
      return treeSince;
    },
    get isUp() {
      return isUp;
    },
    get wasReady() {
      return readyAt !== undefined;
    },
    treeStarted() {
      treeSince = new Date();
      treeRuns = true;
      isUp = false;
      services.clear();
    },
    treeEnded(why, lost) {
      // Services of the next tree begin as if nothing had been; how the last ones ended is still told.
      for (const { name, pid, lastExit } of services.values()) {
        const how = pid === undefined ? lastExit : why;
        if (how !== undefined) exitsBefore.set(name, how);
      }
      treeRuns = isUp = false;
      if (lost) {
        rebuilds += 1;
        lastRebuild = why;
      }
      changed();
    },
    broughtUp() {
      isUp = true;
      readyAt ??= Date.now();
      changed();
    },
    heard(status) {
      const isNews = services.get(status.name)?.phase !== status.phase;
      const lastExit = exitsBefore.get(status.name);
      services.set(status.name, lastExit === undefined ? status : { lastExit, ...status });
      changed();
      return isNews;
    },
    stopping() {
      isStopping = true;
      changed();
    },
    summary: () => ({
      phase: phase(),
      startedAt,
      ...(readyAt === undefined ? {} : { readyAt }),
      rebuilds,
      ...(lastRebuild === undefined ? {} : { lastRebuild }),
      services: [...services.values()],
    }),
    onChange: (listener) => void changes.on('change', listener),
    async until(isTrue, signal) {
      while (!isTrue()) {
        if (isStopping) throw new U7sError('stopping', 'the cluster is being stopped');
        await once(changes, 'change', { signal });
      }
    },
  };
}
