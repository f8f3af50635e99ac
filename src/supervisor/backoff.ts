/** What is remembered of a service's deaths. */
export type RestartHistory = {
  /** Deaths in a row without having been ready. */
  failures: number;
  /** Times of the restarts of the last minute, in milliseconds of a monotonic clock. */
  restarts: readonly number[];
};

export const noRestarts: RestartHistory = { failures: 0, restarts: [] };

const windowMs = 60_000;
const restartsPerWindow = 12;

/**
 * How long to wait before the next restart: not at all when the service had been ready, else exponentially longer up
 * to `maxMs`, each time between half and all of it so that services that fall together do not rise together. However
 * it dies, no minute sees more than 12 restarts. `random` gives numbers from 0 to 1.
 */
export function nextRestart(
  history: RestartHistory,
  death: { wasReady: boolean; now: number },
  backoff: { initialMs: number; maxMs: number },
  random: () => number,
): { delayMs: number; history: RestartHistory } {
  const failures = death.wasReady ? 0 : history.failures + 1;
  const longest = Math.min(backoff.maxMs, backoff.initialMs * 2 ** (failures - 1));
  const wanted = death.wasReady ? 0 : longest * (0.5 + random() / 2);

  const recent = history.restarts.slice(-restartsPerWindow);
  const oldest = recent.length === restartsPerWindow ? recent[0] : undefined;
  const delayMs = oldest === undefined ? wanted : Math.max(wanted, oldest + windowMs - death.now);
  return {
    delayMs,
    history: { failures, restarts: [...recent, death.now + delayMs].slice(-restartsPerWindow) },
  };
}
