import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 100;

/** The first result that is neither undefined nor false. Throws, naming `what`, when there is none in time. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  timeoutMs = 60_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const result = await look();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > end)
      throw new Error(`it did not come true within ${timeoutMs / 1000} s that ${what}`);
    await delay(pollMs);
  }
}
