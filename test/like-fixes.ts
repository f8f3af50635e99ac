import type { ExecutionContext } from 'ava';
import type { Fix } from '#src/lib/fixes.js';

/** Asserts that these are all the fixes, in order: commands as data, words by an expression. */
export function likeFixes(
  t: ExecutionContext,
  fixes: readonly Fix[] | undefined,
  expected: readonly (Fix | RegExp)[],
): void {
  t.is(fixes?.length, expected.length, JSON.stringify(fixes));
  for (const [index, wanted] of expected.entries()) {
    const fix = fixes?.[index];
    if (!(wanted instanceof RegExp)) t.deepEqual(fix, wanted);
    else t.true(typeof fix === 'string' && wanted.test(fix), `${JSON.stringify(fix)} is not like ${wanted}`);
  }
}
