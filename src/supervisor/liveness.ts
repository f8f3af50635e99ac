import { setTimeout as sleep } from 'node:timers/promises';
import { U7sError } from '../lib/errors.js';
import type { LivenessProbe } from './definition.js';
import { probeOnce, type ProbeContext } from './probe.js';

/**
 * Asks a ready service again and again whether it still lives. Throws when it has failed `failureThreshold` times in a
 * row, with the last reason; ends otherwise only by `signal`, which rejects too.
 */
export async function watchLiveness(
  probe: LivenessProbe,
  signal: AbortSignal,
  context?: ProbeContext,
): Promise<never> {
  const { periodMs, timeoutMs, failureThreshold } = probe;
  for (let failures = 0, pause = periodMs; ;) {
    await sleep(pause, undefined, { signal });
    const began = performance.now();
    const result = await probeOnce(probe, timeoutMs, signal, context);
    failures = result === true ? 0 : failures + 1;
    if (failures >= failureThreshold) throw new U7sError('todo', `not alive: ${result}`);
    pause = Math.max(0, periodMs - (performance.now() - began));
  }
}
