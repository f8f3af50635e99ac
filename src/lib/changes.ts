import { EventEmitter, once } from 'node:events';

/** Tells those who care that something has changed. */
export type Changes = {
  notify(): void;
  /** Calls `listener` at each change, for good. */
  subscribe(listener: () => void): void;
  /** Resolves when `isTrue`, which is evaluated at once and at each change. Rejects when `signal` is aborted. */
  until(isTrue: () => boolean, signal: AbortSignal): Promise<void>;
};

export function createChanges(): Changes {
  const emitter = new EventEmitter().setMaxListeners(0);
  return {
    notify: () => void emitter.emit('change'),
    subscribe: (listener) => void emitter.on('change', listener),
    until: async (isTrue, signal) => {
      signal.throwIfAborted();
      while (!isTrue()) await once(emitter, 'change', { signal });
    },
  };
}
