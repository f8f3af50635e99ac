import test from 'ava';
import { visible, visibleLine } from '#src/lib/visible.js';

test('what a terminal would obey is shown instead', (t) => {
  t.is(visible('a\x1b[2Jb\x07\x9b31m\x7f'), 'a\\x1b[2Jb\\x07\\x9b31m\\x7f');
  t.is(visible('user\u202egnp.exe'), 'user\\u202egnp.exe');
  t.is(visible('first\rsecond'), 'first\\x0dsecond');
});

test('text in any language stays as it is, with its lines', (t) => {
  const text = 'Grüße\n\tこんにちは → ok ✓';
  t.is(visible(text), text);
});

test('what has to stay on a line does', (t) => {
  t.is(visibleLine('Ready\nerror: none\tx'), 'Ready\\nerror: none\\tx');
});
