import { U7sError, fixesOf, messageOf } from '../lib/errors.js';
import { distinctFixes, type Fix } from '../lib/fixes.js';
import type { Way } from './artifact.js';
import type { Recipe } from './recipe.js';

/** There is no way to get an artifact. */
export class MissingError extends Error {
  constructor(
    readonly recipe: Recipe,
    readonly failures: readonly { way: Way; error: unknown }[],
  ) {
    super(failures.map(({ way, error }) => `${way}: ${messageOf(error)}`).join('; '));
  }
}

/** One error for all artifacts; those with the same fixes share a line. */
export function cannotGet(missing: readonly MissingError[]): U7sError {
  const groups = new Map<string, { fixes: readonly Fix[]; members: MissingError[] }>();
  for (const each of missing) {
    const fixes = each.failures.flatMap(({ error }) => fixesOf(error));
    const key = fixes
      .map((fix) => JSON.stringify(fix))
      .sort()
      .join();
    const { members } = groups.get(key) ?? { members: [] };
    groups.set(key, { fixes, members: [...members, each] });
  }
  const causes = [...groups.values()].map(({ members }) => {
    const names = members.map(({ recipe: { name, artifact } }) => `${name} ${artifact.version}`).join(', ');
    return `cannot get ${names}: ${members[0]?.message}`;
  });
  const fixes = [...groups.values()].flatMap(({ fixes: ofGroup, members: [first] }) => [
    ...ofGroup,
    `use one that you have: --artifact ${first?.recipe.name}=PATH`,
  ]);
  return new U7sError('artifact-unavailable', causes.join('\n  '), {
    fixes: distinctFixes(fixes),
    cause: missing[0],
  });
}
