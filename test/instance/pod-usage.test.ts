import test from 'ava';
import { quantity } from '#src/instance/pod-usage.js';

test('quantities of Kubernetes', (t) => {
  t.is(Math.round(quantity('250000000n') * 1000), 250);
  t.is(quantity('2'), 2);
  t.is(quantity('100Mi'), 100 * 2 ** 20);
  t.is(quantity('1.5Gi'), 1.5 * 2 ** 30);
  for (const text of ['', 'many', '5 Mi', '5Xi']) t.true(Number.isNaN(quantity(text)), text);
});
