import test from 'ava';
import { chooseSnapshotter } from '#src/plan/snapshotter.js';
import type { Event } from '#src/lib/events.js';

function choose(faults: { overlay?: string; fuse?: string }) {
  const events: Event[] = [];
  const chosen = chooseSnapshotter(faults, (event) => {
    events.push(event);
  });
  const fixes = events.flatMap((event) => (event.kind === 'warning' ? (event.fixes ?? []) : []));
  return { chosen, said: events.map((event) => ('text' in event ? event.text : '')).join('\n'), fixes };
}

test("the kernel's overlayfs stacks images, without a word", (t) => {
  t.deepEqual(choose({ fuse: 'it is not installed' }), { chosen: 'overlayfs', said: '', fixes: [] });
});

test('where the kernel refuses fuse-overlayfs does, with a warning that says why and what would help', (t) => {
  const { chosen, said, fixes } = choose({ overlay: 'wrong fs type' });
  t.is(chosen, 'fuse-overlayfs');
  t.regex(said, /overlayfs cannot be used \(wrong fs type\); fuse-overlayfs .* slower/);
  t.true(fixes.some((fix) => typeof fix === 'string' && fix.includes('XDG_STATE_HOME')));
});

test('where neither can, images are copied', (t) => {
  const { chosen, said } = choose({ overlay: 'wrong fs type', fuse: 'it is not installed' });
  t.is(chosen, 'native');
  t.regex(said, /nor fuse-overlayfs \(it is not installed\): images are copied whole/);
});
