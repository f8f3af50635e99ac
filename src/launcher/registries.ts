import { keepRegistries, type RegistriesPlan } from '../images/registries/keep.js';
import type { Report } from '../lib/events.js';

/** Follows what the user sets for registries; `restart` is missing on a node without a kubelet. */
export function followRegistries(
  plan: RegistriesPlan,
  restart: ((service: string) => void) | undefined,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  // A kubelet learns of further registries only when it starts.
  return keepRegistries(plan, { report, onProvider: () => restart?.('kubelet') }, signal);
}
