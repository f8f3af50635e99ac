import { setTimeout as sleep } from 'node:timers/promises';

/** Time between restarts, so that a test need not wait for it. */
export type Clock = {
  /** Milliseconds from an arbitrary start, never going back. */
  now(): number;
  /** Rejects when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
};

export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};
