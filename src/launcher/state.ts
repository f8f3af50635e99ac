import { createChanges } from '../lib/changes.js';
import { U7sError } from '../lib/errors.js';
import type { ServiceStatus } from '../supervisor/definition.js';
import type { InstancePhase, InstanceStatus } from './status.js';

export type InstanceState = {
  /** Of the present life of the node. */
  readonly services: ReadonlyMap<string, ServiceStatus>;
  /** How many lives of the node have begun. */
  readonly lives: number;
  /** Whether the node is up in its present life. */
  readonly isUp: boolean;
  /** Whether it ever was. */
  readonly wasUp: boolean;
  nodeStarted(): void;
  /** `lost`: not because we asked. */
  nodeEnded(why: string, lost: boolean): void;
  broughtUp(): void;
  /** Returns whether the service has entered another phase. */
  heard(status: ServiceStatus): boolean;
  stopping(): void;
  summary(): Pick<
    InstanceStatus,
    'phase' | 'startedAt' | 'readyAt' | 'rebuilds' | 'lastRebuild' | 'services'
  >;
  /** Calls `listener` at each change, for good. */
  subscribe(listener: () => void): void;
  /** Waits until `isTrue`, which is evaluated at each change. Throws when the instance is being stopped. */
  until(isTrue: () => boolean, signal: AbortSignal): Promise<void>;
};

/** What is known of one life of the node. */
type Life = { services: Map<string, ServiceStatus>; runs: boolean; isUp: boolean };
const newLife = (): Life => ({ services: new Map(), runs: true, isUp: false });

/** How the instance stands, from what is heard of it. */
export function createInstanceState(): InstanceState {
  const startedAt = Date.now();
  /** How services of earlier lives ended. */
  const exitsBefore = new Map<string, string>();
  const changes = createChanges();
  let life: Life = { ...newLife(), runs: false };
  let lives = 0;
  let isStopping = false;
  let readyAt: number | undefined;
  let rebuilds = 0;
  let lastRebuild: string | undefined;

  function phase(): InstancePhase {
    if (isStopping) return 'stopping';
    if (readyAt === undefined) return 'starting';
    if (!life.isUp) return 'rebuilding';
    const statuses = [...life.services.values()];
    const healthy = statuses.every(({ phase }) => phase === 'ready' || phase === 'completed');
    return life.runs && statuses.length > 0 && healthy ? 'running' : 'degraded';
  }

  return {
    get services() {
      return life.services;
    },
    get lives() {
      return lives;
    },
    get isUp() {
      return life.isUp;
    },
    get wasUp() {
      return readyAt !== undefined;
    },
    nodeStarted() {
      life = newLife();
      lives += 1;
      changes.notify();
    },
    nodeEnded(why, lost) {
      // Services of the next life start anew; how those of this one ended stays in the status.
      for (const { name, pid, lastExit } of life.services.values()) {
        const how = pid === undefined ? lastExit : why;
        if (how !== undefined) exitsBefore.set(name, how);
      }
      life = { ...life, runs: false, isUp: false };
      if (lost) {
        rebuilds += 1;
        lastRebuild = why;
      }
      changes.notify();
    },
    broughtUp() {
      life.isUp = true;
      readyAt ??= Date.now();
      changes.notify();
    },
    heard(status) {
      const isNews = life.services.get(status.name)?.phase !== status.phase;
      const lastExit = exitsBefore.get(status.name);
      life.services.set(status.name, lastExit === undefined ? status : { lastExit, ...status });
      changes.notify();
      return isNews;
    },
    stopping() {
      isStopping = true;
      changes.notify();
    },
    summary: () => ({
      phase: phase(),
      startedAt,
      ...(readyAt === undefined ? {} : { readyAt }),
      rebuilds,
      ...(lastRebuild === undefined ? {} : { lastRebuild }),
      services: [...life.services.values()],
    }),
    subscribe: (listener) => changes.subscribe(listener),
    until: (isTrue, signal) =>
      changes.until(() => {
        if (isTrue()) return true;
        if (isStopping) throw new U7sError('stopping', 'the cluster is being stopped');
        return false;
      }, signal),
  };
}
