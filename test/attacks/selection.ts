import type { Attack } from './attack.js';

export type Selection = { attacks: readonly Attack[]; why: string };

/** `all`, those whose position, kind or name matches a regular expression, or the first short one of each kind. */
export function select(all: readonly Attack[], what: string | undefined): Selection {
  if (what === 'all') return { attacks: all, why: `all ${all.length}` };
  if (what) {
    const chosen = all.filter(({ position, kind, name }) =>
      RegExp(what).test(`${position}: ${kind}: ${name}`),
    );
    return { attacks: chosen, why: `${what}, ${chosen.length} of ${all.length}` };
  }
  const kinds = new Set<string>();
  const sample = all.filter(({ kind, long }) => long !== true && !kinds.has(kind) && kinds.add(kind));
  return { attacks: sample, why: `a sample, ${sample.length} of ${all.length}` };
}
