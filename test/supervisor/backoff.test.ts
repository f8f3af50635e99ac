import test from 'ava';
import fc from 'fast-check';
import { nextRestart, noRestarts } from '#src/supervisor/backoff.js';

const backoff = { initialMs: 100, maxMs: 2_000 };

/** Delays before each restart of a service that dies again `livesMs` after each start. */
function delays(
  count: number,
  wasReady: (index: number) => boolean,
  random = () => 1,
  livesMs = 1,
): number[] {
  let history = noRestarts;
  let now = 5_000;
  return Array.from({ length: count }, (_, index) => {
    const next = nextRestart(history, { wasReady: wasReady(index), now }, backoff, random);
    history = next.history;
    now += next.delayMs + livesMs;
    return next.delayMs;
  });
}

test('a service that had been ready restarts at once', (t) => {
  t.deepEqual(
    delays(3, () => true),
    [0, 0, 0],
  );
});

test('one that had not waits longer each time, up to the longest', (t) => {
  t.deepEqual(
    delays(7, () => false),
    [100, 200, 400, 800, 1600, 2000, 2000],
  );
});

test('having been ready ends the series', (t) => {
  t.deepEqual(
    delays(4, (index) => index === 2),
    [100, 200, 0, 100],
  );
});

test('jitter takes away up to a half', (t) => {
  t.deepEqual(
    delays(
      3,
      () => false,
      () => 0,
    ),
    [50, 100, 200],
  );
  t.deepEqual(
    delays(
      3,
      () => false,
      () => 0.5,
    ),
    [75, 150, 300],
  );
});

test('the thirteenth restart within a minute waits until the minute is over', (t) => {
  const all = delays(14, () => true);
  t.deepEqual(all.slice(0, 12), Array(12).fill(0));
  t.is(all[12], 60_000 - 12);
  t.is(all[13], 0);
});

test('no minute sees more than twelve restarts, however a service dies', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.nat(20_000), fc.double({ min: 0, max: 1, noNaN: true }))),
      (deaths) => {
        let history = noRestarts;
        let now = 0;
        const restarts = deaths.map(([wasReady, livesMs, random]) => {
          now += livesMs;
          const next = nextRestart(history, { wasReady, now }, { initialMs: 1, maxMs: 50 }, () => random);
          history = next.history;
          return (now += next.delayMs);
        });
        return restarts.every(
          (time, index) => index < 12 || time - (restarts[index - 12] ?? 0) >= 59_999.999,
        );
      },
    ),
  );
  t.pass();
});
