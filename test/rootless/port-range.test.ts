import test from 'ava';
import { inRanges, parsePortRanges } from '#src/rootless/port-range.js';

test('ports and ranges are separated by commas', (t) => {
  t.deepEqual(parsePortRanges('8443, 8000-9000'), [
    { first: 8443, last: 8443 },
    { first: 8000, last: 9000 },
  ]);
  for (const wrong of ['', 'a', '0', '1-', '9-8', '1-65536', '8000-9000,'])
    t.is(parsePortRanges(wrong), undefined, wrong);
});

test('both ends of a range are in it', (t) => {
  const ranges = parsePortRanges('8000-9000') ?? [];
  t.deepEqual(
    [7999, 8000, 9000, 9001].map((port) => inRanges(ranges, port)),
    [false, true, true, false],
  );
});
