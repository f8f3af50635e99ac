import test from 'ava';
import { nearest } from '#src/lib/nearest.js';

const presets = ['default-containerd', 'default-crio', 'default-docker'];

test('a slip of the finger finds the word that was meant', (t) => {
  t.is(nearest('default-containered', presets), 'default-containerd');
  t.is(nearest('default-dokcer', presets), 'default-docker');
});

test('something else altogether finds nothing', (t) => t.is(nearest('kubernetes', presets), undefined));
