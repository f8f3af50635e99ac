import { stripVTControlCharacters } from 'node:util';
import test from 'ava';
import type { Event, StepEvent } from '#src/lib/events.js';
import { formatFix, u7s, type Fix } from '#src/lib/fixes.js';
import { createReporter } from '#src/ui/reporter.js';
import type { ReporterOptions } from '#src/ui/reporter.js';
import { formatElapsed } from '#src/ui/renderer.js';
import { createTtyRenderer, liveLines } from '#src/ui/tty.js';
import { fakeClock, fakeStderr } from './fake-terminal.js';

const step = (state: StepEvent['state'], more: Partial<StepEvent> = {}): StepEvent => ({
  kind: 'step',
  id: 'etcd',
  title: 'etcd',
  state,
  ...more,
});

const plainFix = (fix: Fix): string => formatFix(fix, undefined);

function set(options: ReporterOptions, env: Record<string, string> = {}, isTTY = false) {
  const clock = fakeClock();
  const stderr = fakeStderr({ isTTY });
  return { clock, stderr, ...createReporter({ stderr, env }, { clock, ...options }) };
}

test('plain: one line at the start, one at the end with the time', (t) => {
  const { clock, stderr, report } = set({ mode: 'plain' });
  report(step('started'));
  clock.advance(3210);
  report(step('done', { detail: '27 MB' }));
  report({ kind: 'note', text: 'node is Ready' });
  report({ kind: 'warning', text: 'no cgroup delegation' });
  t.is(
    stderr.text(),
    'etcd: started\netcd: done in 3.2s (27 MB)\nnode is Ready\nwarning: no cgroup delegation\n',
  );
});

test('plain: where a step is stands there every 15 s, not more often', (t) => {
  const { clock, stderr, report } = set({ mode: 'plain' });
  report(step('started'));
  for (let second = 1; second <= 31; second++) {
    report(step('progress', { detail: `${second}/40 MB`, fraction: second / 40 }));
    clock.advance(1000);
  }
  report(step('failed'));
  t.is(
    stderr.text(),
    'etcd: started\netcd: 15/40 MB (37%), 15s\netcd: 30/40 MB (75%), 30s\netcd: failed after 31s\n',
  );
});

test('plain: a step that reports nothing for long still shows that it lives', (t) => {
  const { clock, stderr, report } = set({ mode: 'plain' });
  report(step('started', { title: 'build kubernetes' }));
  for (let second = 1; second <= 20; second++) clock.advance(1000);
  report(step('progress', { title: 'build kubernetes', detail: 'compiling' }));
  for (let second = 1; second <= 25; second++) clock.advance(1000);
  report(step('done', { title: 'build kubernetes' }));
  clock.advance(60_000);
  t.is(
    stderr.text(),
    'build kubernetes: started\n' +
      'build kubernetes: working, 15s\n' +
      'build kubernetes: compiling, 30s\n' +
      'build kubernetes: compiling, 45s\n' +
      'build kubernetes: done in 45s\n',
  );
});

test('plain: several steps at once each say where they are', (t) => {
  const { clock, stderr, report } = set({ mode: 'plain' });
  report(step('started', { id: 'a', title: 'first' }));
  clock.advance(5_000);
  report(step('started', { id: 'b', title: 'second' }));
  clock.advance(10_000);
  report(step('done', { id: 'a', title: 'first' }));
  clock.advance(5_000);
  t.is(
    stderr.text(),
    'first: started\nsecond: started\nfirst: working, 15s\nfirst: done in 15s\nsecond: working, 15s\n',
  );
});

test('plain and verbose: all of the progress', (t) => {
  const { stderr, report } = set({ mode: 'plain', verbose: true });
  report(step('started'));
  report(step('progress', { detail: 'a' }));
  report(step('progress', { detail: 'b' }));
  report(step('done', { detail: 'from cache' }));
  t.is(stderr.text(), 'etcd: started\netcd: a, 0.0s\netcd: b, 0.0s\netcd: done in 0.0s (from cache)\n');
});

test('quiet: warnings only', (t) => {
  const { stderr, report } = set({ mode: 'plain', quiet: true });
  report(step('started'));
  report({ kind: 'note', text: 'note' });
  report({ kind: 'warning', text: 'look' });
  t.is(stderr.text(), 'warning: look\n');
});

test('json: one event a line with its time', (t) => {
  const { stderr, report } = set({ mode: 'json' });
  report(step('progress', { detail: '1/2', fraction: 0.5 }));
  t.deepEqual(JSON.parse(stderr.text()), {
    time: '2030-01-01T00:00:00.000Z',
    kind: 'step',
    id: 'etcd',
    title: 'etcd',
    state: 'progress',
    detail: '1/2',
    fraction: 0.5,
  });
  t.true(stderr.text().endsWith('}\n'));
});

for (const [why, env, isTTY] of [
  ['stderr is no terminal', {}, false],
  ['NO_COLOR is set', { NO_COLOR: '1' }, true],
  ['TERM is dumb', { TERM: 'dumb' }, true],
  ['CI is set', { CI: 'true' }, true],
] as const) {
  test(`auto is plain when ${why}`, (t) => {
    const { stderr, report } = set({ mode: 'auto' }, env, isTTY);
    report(step('started'));
    t.is(stderr.text(), 'etcd: started\n');
  });
}

test('auto is plain on a terminal without a size, where the live display would draw nothing', (t) => {
  const clock = fakeClock();
  const stderr = fakeStderr({ isTTY: true, columns: 0, rows: 0 });
  const { report, close } = createReporter({ stderr, env: {} }, { mode: 'auto', clock });
  report(step('started'));
  clock.advance(15_000);
  close();
  t.is(stderr.text(), 'etcd: started\netcd: working, 15s\n');
});

test('tty: on a terminal without a size the steps are drawn as on one of 80 columns', (t) => {
  const stderr = fakeStderr({ isTTY: true, columns: 0, rows: 0 });
  const { report, close } = createTtyRenderer(stderr, fakeClock(), plainFix);
  report(step('started', { detail: 'compiling' }));
  t.regex(screen(stderr.text()), /etcd {2}compiling {2}0\.0s/);
  close();
});

test('nothing is lost when the command ends before the live display is loaded', (t) => {
  const { stderr, report, close } = set({ mode: 'tty' }, {}, true);
  report({ kind: 'warning', text: 'look' });
  close();
  report({ kind: 'warning', text: 'too late' });
  t.is(stderr.text(), 'warning: look\n');
});

test('tty: a line a running step with spinner, bar, detail and time, never wider than the terminal', (t) => {
  const steps = [
    { title: 'download etcd 3.6.14', startedAt: 0, detail: '12.3/27.0 MB', fraction: 0.45 },
    { title: 'kube-apiserver', startedAt: 1000 },
  ];
  const lines = liveLines(steps, 3200, 80).map((line) => stripVTControlCharacters(line));
  t.deepEqual(lines, [
    '⠹ download etcd 3.6.14  ━━━━━━━━━───────────  12.3/27.0 MB  3.2s',
    '⠹ kube-apiserver  2.2s',
  ]);
  const narrow = liveLines([{ title: 'go build', startedAt: 0, detail: 'a'.repeat(200) }], 3200, 40);
  t.true(narrow.every((line) => stripVTControlCharacters(line).length <= 40));
});

const advice: Event = {
  kind: 'warning',
  text: 'the docker context is not made',
  code: 'docker-context',
  fixes: [u7s(['down'], { text: 'stop it' }), 'first this\nthen that'],
};

test('plain: the fixes of a warning stand below it, as the reader types them', (t) => {
  const fixText = (fix: Fix): string => formatFix(fix, 'second');
  const { stderr, report } = set({ mode: 'plain', fixText });
  report(advice);
  t.is(
    stderr.text(),
    'warning: the docker context is not made\n' +
      '  fix: stop it: u7s --cluster second down\n' +
      '  fix: first this\n       then that\n',
  );
});

test('tty: the fixes of a warning stand below it', (t) => {
  const stderr = fakeStderr({ isTTY: true, columns: 80 });
  const { report, close } = createTtyRenderer(stderr, fakeClock(), plainFix);
  report(advice);
  close();
  t.is(
    screen(stderr.text()),
    '! the docker context is not made\n  fix: stop it: u7s down\n  fix: first this\n       then that\n',
  );
});

test('json: a warning carries its code and its fixes as data', (t) => {
  const { stderr, report } = set({ mode: 'json' });
  report(advice);
  t.deepEqual(JSON.parse(stderr.text()), {
    time: '2030-01-01T00:00:00.000Z',
    kind: 'warning',
    text: 'the docker context is not made',
    code: 'docker-context',
    fixes: [{ text: 'stop it', commands: [['down']] }, 'first this\nthen that'],
  });
});

test('tty: what has ended stays above, in the order of its end', (t) => {
  const clock = fakeClock();
  const stderr = fakeStderr({ isTTY: true, columns: 80 });
  const { report, close } = createTtyRenderer(stderr, clock, plainFix);
  report(step('started', { id: 'a', title: 'first' }));
  report(step('started', { id: 'b', title: 'second' }));
  clock.advance(1500);
  report(step('done', { id: 'b', title: 'second' }));
  report({ kind: 'warning', text: 'careful' });
  clock.advance(500);
  report(step('failed', { id: 'a', title: 'first', detail: 'no space' }));
  close();
  t.is(screen(stderr.text()), '✓ second  1.5s\n! careful\n✗ first  no space  2.0s\n');
});

test('times are written as kubectl does', (t) => {
  t.deepEqual([0, 400, 9960, 59_400, 59_700, 192_000, 3_900_000].map(formatElapsed), [
    '0.0s',
    '0.4s',
    '10s',
    '59s',
    '1m0s',
    '3m12s',
    '1h5m',
  ]);
});

/** What a terminal shows after `output`; knows just the sequences that a redraw uses. */
function screen(output: string): string {
  const lines = [''];
  let row = 0;
  for (const [index, part] of output.split('\u001B[').entries()) {
    const [, amount = '', action = '', text = ''] =
      index === 0 ? [part, '', '', part] : (/^(\??\d*)([A-Za-z])([^]*)$/.exec(part) ?? []);
    if (action === 'A') row -= Number(amount || 1);
    if (action === 'B') row += Number(amount || 1);
    if (action === 'K' && amount === '2') lines[row] = '';
    for (const [at, line] of text.split('\n').entries()) {
      if (at > 0) lines[++row] ??= '';
      lines[row] += line;
    }
  }
  return lines.join('\n');
}

test('words of others cannot command the terminal, whatever shows them', (t) => {
  const evil = '\x1b]0;owned\x07';
  const events: Event[] = [
    step('done', { title: `image ${evil}`, detail: evil }),
    { kind: 'note', text: evil },
    { kind: 'warning', text: evil, fixes: [evil] },
  ];
  for (const mode of ['plain', 'tty'] as const) {
    const { stderr, report, close } = set({ mode }, {}, mode === 'tty');
    for (const event of events) report(event);
    close();
    t.false(stderr.text().includes(evil), mode);
    t.regex(stderr.text(), /\\x1b\]0;owned\\x07/, mode);
  }
});
