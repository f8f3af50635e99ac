import test from 'ava';
import { createInstanceState } from '#src/launcher/state.js';
import type { ServicePhase, ServiceStatus } from '#src/supervisor/definition.js';

const { signal } = new AbortController();
const status = (name: string, phase: ServicePhase, more: Partial<ServiceStatus> = {}): ServiceStatus => ({
  name,
  phase,
  restarts: 0,
  since: 1,
  ...more,
});

test('the phase follows what is heard', (t) => {
  const state = createInstanceState();
  const phases: string[] = [];
  const note = (): void => void phases.push(state.summary().phase);
  for (const happens of [
    () => state.nodeStarted(),
    () => state.heard(status('a', 'ready')),
    () => state.broughtUp(),
    () => state.heard(status('a', 'backoff')),
    () => state.heard(status('a', 'completed')),
    () => state.nodeEnded('lost', true),
    () => state.nodeStarted(),
    () => state.broughtUp(),
    () => state.heard(status('a', 'ready')),
    () => state.stopping(),
  ]) {
    happens();
    note();
  }
  t.deepEqual(phases, [
    'starting',
    'starting',
    'running',
    'degraded',
    'running',
    'rebuilding',
    'rebuilding',
    'degraded',
    'running',
    'stopping',
  ]);
});

test('only losses count as rebuilds; each life begins without services, but their last exits stay', (t) => {
  const state = createInstanceState();
  state.nodeStarted();
  state.heard(status('a', 'ready', { pid: 7 }));
  state.heard(status('b', 'completed', { lastExit: 'exit code 0' }));
  state.broughtUp();
  state.nodeEnded('asked for', false);
  t.like(state.summary(), { rebuilds: 0, services: [{ name: 'a' }, { name: 'b' }] });
  t.is(state.summary().lastRebuild, undefined);
  state.nodeStarted();
  t.deepEqual(state.summary().services, []);
  t.is(state.lives, 2);
  state.heard(status('a', 'starting'));
  state.heard(status('b', 'waiting'));
  t.deepEqual(
    state.summary().services.map(({ lastExit }) => lastExit),
    ['asked for', 'exit code 0'],
  );
  state.nodeEnded('slirp4netns ended', true);
  t.like(state.summary(), { rebuilds: 1, lastRebuild: 'slirp4netns ended' });
});

test('when it first became ready stays', (t) => {
  const state = createInstanceState();
  t.false(state.wasUp);
  state.nodeStarted();
  state.broughtUp();
  const { readyAt } = state.summary();
  state.nodeEnded('lost', true);
  state.nodeStarted();
  state.broughtUp();
  t.is(state.summary().readyAt, readyAt);
  t.true(state.wasUp);
});

test('another phase of a service is news, the same one is not', (t) => {
  const state = createInstanceState();
  state.nodeStarted();
  t.true(state.heard(status('a', 'starting')));
  t.false(state.heard(status('a', 'starting', { pid: 7 })));
  t.true(state.heard(status('a', 'ready')));
});

test('a wait ends when it is true, when the instance is being stopped, and with its signal', async (t) => {
  const state = createInstanceState();
  const up = state.until(() => state.isUp, signal);
  state.nodeStarted();
  state.broughtUp();
  await t.notThrowsAsync(up);
  const gone = new AbortController();
  const abandoned = state.until(() => false, gone.signal);
  gone.abort();
  await t.throwsAsync(abandoned, { name: 'AbortError' });
  const never = state.until(() => false, signal);
  state.stopping();
  t.like(await t.throwsAsync(never), { code: 'stopping' });
});
