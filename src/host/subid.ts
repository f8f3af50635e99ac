import type { Host } from './host.js';

/** A line of /etc/subuid or /etc/subgid (subuid(5)): `count` IDs from `start` on, lent to `owner` (a name or a uid). */
export type SubIdRange = { owner: string; start: number; count: number };

/** A node needs this many: images use IDs 0 to 65535. */
export const neededSubIds = 65536;

/** The ranges in one of the two files. */
export async function readSubIds(
  host: Pick<Host, 'read'>,
  file: '/etc/subuid' | '/etc/subgid',
): Promise<SubIdRange[]> {
  return parseSubIds((await host.read(file)) ?? '');
}

/** Lines that don't parse are left out, as newuidmap does. */
export function parseSubIds(text: string): SubIdRange[] {
  return text.split('\n').flatMap((line) => {
    const [, owner, start, count] = /^([^:#\s]+):(\d+):(\d+)\s*$/.exec(line) ?? [];
    if (owner === undefined || Number(count) === 0) return [];
    return [{ owner, start: Number(start), count: Number(count) }];
  });
}

/** The ranges of one user, listed by name or by uid. */
export function subIdsOf(
  ranges: SubIdRange[],
  user: { name: string; uid: number | undefined },
): SubIdRange[] {
  return ranges.filter(({ owner }) => owner === user.name || owner === String(user.uid));
}

export function countSubIds(ranges: SubIdRange[]): number {
  return ranges.reduce((sum, { count }) => sum + count, 0);
}

/** The first pair of ranges that share IDs; by default of different owners, who could touch each other's containers. */
export function findSubIdOverlap(
  ranges: SubIdRange[],
  counts = (a: SubIdRange, b: SubIdRange): boolean => a.owner !== b.owner,
): [SubIdRange, SubIdRange] | undefined {
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  let furthest = sorted[0];
  for (const range of sorted.slice(1)) {
    if (furthest === undefined || range.start >= endOf(furthest)) {
      furthest = range;
    } else if (counts(furthest, range)) {
      return [furthest, range];
    } else if (endOf(range) > endOf(furthest)) {
      furthest = range;
    }
  }
  return undefined;
}

/** SUB_UID_MIN and SUB_UID_MAX of login.defs(5). */
const firstSubId = 100_000;
const lastSubId = 600_100_000;

/** The lowest free range of `count` IDs that shares none with `existing`; undefined when there is no room. */
export function allocateSubIdRange(
  existing: SubIdRange[],
  count = neededSubIds,
): { start: number; count: number } | undefined {
  let start = firstSubId;
  for (const range of existing.toSorted((a, b) => a.start - b.start)) {
    if (range.start - start >= count) break;
    start = Math.max(start, endOf(range));
  }
  return start + count - 1 <= lastSubId ? { start, count } : undefined;
}

/** As the file has it. */
export function formatSubIds({ owner, start, count }: SubIdRange): string {
  return `${owner}:${start}:${count}`;
}

function endOf(range: SubIdRange): number {
  return range.start + range.count;
}
