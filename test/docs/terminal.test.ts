import test from 'ava';
import { screenAfter } from './terminal/screen.js';
import { renderSvg } from './terminal/svg.js';

const size = { columns: 40, rows: 10 };

test('what a command redraws is kept as it stands in the end', async (t) => {
  const lines = await screenAfter(
    'starting\x1b[1G\x1b[2K\x1b[32m✔\x1b[39m \x1b[1metcd\x1b[22m  0.3s\r\n',
    size,
  );
  t.deepEqual(lines, [
    [
      { column: 0, text: '✔', color: 2 },
      { column: 2, text: 'etcd', bold: true },
      { column: 6, text: '  0.3s' },
    ],
  ]);
});

test('the picture places columns, and takes markup for text', (t) => {
  const svg = renderSvg([[{ column: 0, text: 'NAME  <none>' }]], size.columns, 'kubectl & co');
  t.regex(svg, /<text x="18" [^>]*>NAME<\/text>/);
  t.regex(svg, /<text x="68.4" [^>]*>&lt;none&gt;<\/text>/);
  t.true(svg.includes('<title>kubectl &amp; co</title>'));
  t.notRegex(svg, /href|url\(/);
});
