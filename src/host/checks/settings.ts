import { ok, prepare, warning, type CheckDefinition } from '../check.js';
import { readSysctls, unsatisfiedSysctls } from '../sysctls.js';

/** Kernel settings that are better raised; a small cluster works without. */
export function settings(check: {
  id: string;
  title: string;
  why: string;
  keys: string[];
  /** What the values mean for a node. */
  meaning?: (values: Record<string, string>) => string;
}): CheckDefinition {
  const { id, title, why, keys, meaning } = check;
  return {
    id,
    title,
    why,
    atStart: false,
    look: async ({ host, user }) => {
      const values = await readSysctls(host);
      const low = unsatisfiedSysctls(values, user.gid, keys);
      const shown = (low.length > 0 ? low : keys)
        .filter((key) => values[key] !== undefined)
        .map((key) => `${key} = ${values[key]?.replaceAll('\t', ' ')}`);
      const found = [shown.join(', '), ...(meaning === undefined ? [] : [meaning(pick(values, keys))])].join(
        ': ',
      );
      return low.length > 0 ? warning(found, prepare) : ok(found);
    },
  };
}

function pick(values: Record<string, string>, keys: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => keys.includes(key)));
}
