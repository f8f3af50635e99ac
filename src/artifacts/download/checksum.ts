import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

export async function hashFile(path: string, algorithm: 'sha256' | 'sha512' = 'sha256'): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash);
  return hash.digest('hex');
}

export type Sums = { sha256?: string; sha512?: string };

/** The first sum that differs; undefined when the file has all of them. */
export async function differingSum(
  path: string,
  sums: Sums,
): Promise<{ algorithm: string; expected: string; actual: string } | undefined> {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    const expected = sums[algorithm];
    if (expected === undefined) continue;
    const actual = await hashFile(path, algorithm);
    if (actual !== expected) return { algorithm, expected, actual };
  }
  return undefined;
}
