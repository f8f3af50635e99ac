import test from 'ava';
import fc from 'fast-check';
import { allocateSubIdRange, countSubIds, findSubIdOverlap, parseSubIds, subIdsOf } from '#src/host/subid.js';

const range = (owner: string, start: number, count: number) => ({ owner, start, count });

test('reads ranges and leaves out comments, blanks and what does not parse', (t) => {
  const text = '# lent\nalice:100000:65536\n\n1001:165536:65536\nbob:x:1\nbob:1:0\nbob\ncarol:300000:1';
  t.deepEqual(parseSubIds(text), [
    range('alice', 100_000, 65_536),
    range('1001', 165_536, 65_536),
    range('carol', 300_000, 1),
  ]);
});

test('a user has the ranges under their name and under their uid, and their sum', (t) => {
  const ranges = [range('alice', 100_000, 1000), range('1000', 200_000, 500), range('bob', 300_000, 7)];
  const own = subIdsOf(ranges, { name: 'alice', uid: 1000 });
  t.is(own.length, 2);
  t.is(countSubIds(own), 1500);
  t.is(countSubIds(subIdsOf(ranges, { name: 'carol', uid: undefined })), 0);
});

test('the first range is that of useradd', (t) => {
  t.deepEqual(allocateSubIdRange([]), { start: 100_000, count: 65_536 });
});

test('a range goes after others, or into a gap that is large enough', (t) => {
  const first = range('alice', 100_000, 65_536);
  t.is(allocateSubIdRange([first])?.start, 165_536);
  t.is(allocateSubIdRange([range('bob', 231_072, 65_536), first])?.start, 165_536);
  t.is(allocateSubIdRange([range('bob', 231_071, 65_536), first])?.start, 296_607);
  t.is(allocateSubIdRange([range('low', 1, 10)])?.start, 100_000);
});

test('no range is found when others have everything', (t) => {
  t.is(allocateSubIdRange([range('greedy', 0, 600_100_000)]), undefined);
});

const ranges = fc.array(
  fc.record({
    owner: fc.constantFrom('alice', 'bob', '1001'),
    start: fc.integer({ min: 0, max: 1_000_000 }),
    count: fc.integer({ min: 1, max: 200_000 }),
  }),
  { maxLength: 8 },
);

test('an allocated range never overlaps one that exists', (t) => {
  fc.assert(
    fc.property(ranges, fc.integer({ min: 1, max: 100_000 }), (existing, count) => {
      const { start } = allocateSubIdRange(existing, count) ?? { start: NaN };
      return existing.every((other) => start + count <= other.start || other.start + other.count <= start);
    }),
  );
  t.pass();
});

test('an overlap between two users is found wherever it is, and none within one user', (t) => {
  fc.assert(
    fc.property(ranges, (existing) => {
      const overlapping = existing.some((a) =>
        existing.some(
          (b) => a.owner !== b.owner && a.start < b.start + b.count && b.start < a.start + a.count,
        ),
      );
      return (findSubIdOverlap(existing) !== undefined) === overlapping;
    }),
  );
  const twice = [range('alice', 1, 10), range('alice', 5, 10)];
  t.is(findSubIdOverlap(twice), undefined);
  t.deepEqual(
    findSubIdOverlap(twice, () => true),
    twice,
  );
});
