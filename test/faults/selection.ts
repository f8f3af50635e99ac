import type { Fault } from './fault.js';
import { createRandom, shuffled } from './random.js';

/** About three minutes on two cores. */
const sampleSize = 9;

export type Selection = { faults: Fault[]; why: string };

/**
 * Which faults a run has, and in which order: as U7S_FAULTS says, of some kinds one each that chance picks by the
 * seed, `all`, the part `2/5` of all, or those whose names match a regular expression.
 */
export function select(all: readonly Fault[], what: string | undefined, seed: number): Selection {
  const order = shuffled(all, createRandom(seed));
  if (!what) {
    const kinds = new Set<string>();
    const sample = order.filter(({ kind }) => !kinds.has(kind) && kinds.add(kind)).slice(0, sampleSize);
    return { faults: sample, why: `a sample, ${sample.length} of ${all.length}` };
  }
  if (what === 'all') return { faults: order, why: `all ${all.length}` };
  const [, part, parts] = /^(\d+)\/(\d+)$/.exec(what) ?? [];
  const chosen =
    part === undefined
      ? order.filter(({ name }) => RegExp(what).test(name))
      : order.filter((_, index) => index % Number(parts) === Number(part) - 1);
  return { faults: chosen, why: `${what}, ${chosen.length} of ${all.length}` };
}
