import { setTimeout as sleep } from 'node:timers/promises';
import { U7sError } from '../lib/errors.js';
import type { LivenessProbe } from './definition.js';
import { probeOnce } from './probe.js';

/**
 * On a machine on which a service took minutes to become ready, an answer may take long too: a tenth of that time, if that
 * is more than the probe allows.
 */
export function patient(probe: LivenessProbe, startMs: number): LivenessProbe {
  return { ...probe, timeoutMs: Math.max(probe.timeoutMs, startMs / 10) };
}

/**
 * Probes a ready service periodically. Throws, with the last reason, when `failureThreshold` probes in a row have failed;
 * otherwise it ends only by `signal`, which rejects too.
 */
export async function watchLiveness(probe: LivenessProbe, signal: AbortSignal): Promise<never> {
  const { periodMs, timeoutMs, failureThreshold } = probe;
  for (let failures = 0, pause = periodMs; ;) {
    await sleep(pause, undefined, { signal });
    const began = performance.now();
    const result = await probeOnce(probe, timeoutMs, signal);
    failures = result === true ? 0 : failures + 1;
    if (failures >= failureThreshold) throw new U7sError('service-hangs', `not alive: ${result}`);
    pause = Math.max(0, periodMs - (performance.now() - began));
  }
}
