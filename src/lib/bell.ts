export type Bell = {
  ring(): void;
  /** Returns when it is rung, after `timeoutMs` or when `signal` is aborted; at once if it was rung since the last time. */
  rung(timeoutMs: number, signal: AbortSignal): Promise<void>;
};

/** Wakes its waiter once, however often it was rung in the meantime. */
export function createBell(): Bell {
  let pending = false;
  let wake = (): void => undefined;
  return {
    ring: () => {
      pending = true;
      wake();
    },
    rung: async (timeoutMs, signal) => {
      if (!pending && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = timeoutMs === Infinity ? undefined : setTimeout(() => wake(), timeoutMs);
          wake = () => {
            clearTimeout(timer);
            signal.removeEventListener('abort', wake);
            resolve();
          };
          signal.addEventListener('abort', wake);
        });
      }
      pending = false;
    },
  };
}
