import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { instancePorts, instanceStatus, restartInstance, stopInstance } from '#src/launcher/client.js';
import { u7s } from '#src/lib/fixes.js';
import { parsePortSpec } from '#src/rootless/port-spec.js';
import { launch, noPorts, until, type Watched } from './harness.js';
import { clusterPlan, kubernetesPlan } from './plans.js';

/** The states of docs/supervision.md and every arrow between them, without a cluster. */
const { signal } = new AbortController();
const statusOf = async ({ plan }: Watched) => {
  const status = await instanceStatus(plan.controlSocket, signal);
  if (status === undefined) throw new Error('it does not run');
  return status;
};
const phaseOf = async (instance: Watched): Promise<string> => (await statusOf(instance)).phase;

test('starting → running: namespaces, services, up; the front hears of it', async (t) => {
  const instance = await launch(t);
  const tree = await instance.tree();
  t.is(await phaseOf(instance), 'starting');
  tree.report({ type: 'prepared' });
  await until(() => tree.commands.length > 0);
  t.deepEqual(
    tree.commands.map(({ type }) => type),
    ['start'],
  );
  tree.service('containerd', 'starting');
  t.is(await phaseOf(instance), 'starting');
  tree.service('containerd', 'ready');
  await until(() => instance.messages.some(({ type }) => type === 'ready'));
  t.like(await statusOf(instance), {
    phase: 'running',
    cluster: 'test',
    launcherPid: process.pid,
    rebuilds: 0,
    services: [{ name: 'containerd', phase: 'ready' }],
  });
});

test('services start when both the namespaces are prepared and the plan is there, whichever comes first', async (t) => {
  const instance = await launch(t, { cluster: clusterPlan(kubernetesPlan) });
  await instance.bringUp();
  t.like(await statusOf(instance), { role: 'control-plane', nodeName: 'node1', phase: 'running' });
});

test('running → degraded → running: a service dies and comes back', async (t) => {
  const instance = await launch(t);
  const tree = await instance.bringUp();
  tree.service('containerd', 'backoff', { lastExit: 'exit code 1' });
  t.is(await phaseOf(instance), 'degraded');
  tree.service('containerd', 'ready', { restarts: 1 });
  t.is(await phaseOf(instance), 'running');
  t.is(instance.trees.length, 1);
});

test('running → rebuilding → running: the node is lost; count and reason are in the status, and how services ended', async (t) => {
  const instance = await launch(t);
  (await instance.bringUp()).end('slirp4netns ended');
  await instance.tree(1);
  t.is(await phaseOf(instance), 'rebuilding');
  await instance.bringUp(1);
  t.like(await statusOf(instance), {
    phase: 'running',
    rebuilds: 1,
    lastRebuild: 'slirp4netns ended',
    services: [{ name: 'containerd', lastExit: 'slirp4netns ended' }],
  });
  t.regex(instance.warnings().join(), /the node was lost \(slirp4netns ended\)/);
  t.deepEqual(instance.failures(), []);
});

test('rebuilding → rebuilding: at once after a life that was up, else with back-off', async (t) => {
  const instance = await launch(t);
  (await instance.bringUp()).end('first');
  for (const life of [1, 2, 3]) (await instance.tree(life)).end(`again ${life}`);
  await instance.bringUp(4);
  t.deepEqual(instance.clock.slept, [0, 500, 1_000, 2_000]);
  t.like(await statusOf(instance), { phase: 'running', rebuilds: 4, lastRebuild: 'again 3' });
});

test('starting → finished: a node that is lost before it was ever up fails the start', async (t) => {
  const instance = await launch(t);
  (await instance.tree()).end('RootlessKit ended: exit code 1');
  await instance.launcher.finished;
  const [failure, ...others] = instance.failures();
  t.like(failure, { code: 'node-lost', fixes: [u7s(['logs', 'rootlesskit'], { text: 'read the log' })] });
  t.deepEqual(others, []);
  t.is(instance.trees.length, 1);
});

test('namespaces that cannot be prepared fail the start, with the code', async (t) => {
  const instance = await launch(t);
  const tree = await instance.tree();
  tree.stubborn = true;
  tree.report({ type: 'error', message: 'mount: permission denied', code: 'supervisor-failed', fixes: [] });
  await instance.launcher.finished;
  t.true(tree.killed);
  t.like(instance.failures()[0], { code: 'supervisor-failed', message: 'mount: permission denied' });
});

test('namespaces that cannot be prepared in a later life are tried again', async (t) => {
  const instance = await launch(t);
  (await instance.bringUp()).end('lost');
  (await instance.tree(1)).report({ type: 'error', message: 'mount: busy', code: 'x', fixes: [] });
  await instance.bringUp(2);
  t.like(await statusOf(instance), { phase: 'running', rebuilds: 2 });
  t.regex(instance.warnings().join(), /mount: busy/);
});

test('a service that cannot start fails the start: whose fault it is, its last words, and what to do', async (t) => {
  const instance = await launch(t, { cluster: clusterPlan(kubernetesPlan) });
  await mkdir(instance.plan.logs, { recursive: true });
  await writeFile(join(instance.plan.logs, 'etcd.log'), 'Error: no space left on device\n');
  const tree = await instance.tree();
  tree.report({ type: 'prepared' });
  await until(() => tree.commands.length > 0);
  tree.service('etcd', 'backoff', { lastExit: 'exit code 1', restarts: 4 });
  t.deepEqual(instance.failures(), []);
  tree.service('etcd', 'backoff', { lastExit: 'exit code 1', restarts: 5 });
  await instance.launcher.finished;
  t.like(instance.failures()[0], {
    code: 'service-failed',
    message: 'etcd does not start: exit code 1: Error: no space left on device',
  });
  t.regex(JSON.stringify(instance.failures()[0]?.fixes), /free space/);
});

test('with retain an instance that failed is left as it is, until it is stopped', async (t) => {
  const instance = await launch(t, { retain: true });
  const tree = await instance.tree();
  tree.report({ type: 'prepared' });
  tree.service('containerd', 'failed', { lastExit: 'exit code 1' });
  await until(() => instance.failures().length > 0);
  instance.launcher.receive({ type: 'detach' });
  instance.launcher.frontGone();
  t.is(await phaseOf(instance), 'starting');
  t.false(tree.commands.some(({ type }) => type === 'stop'));
  t.true(await stopInstance(instance.plan.controlSocket, signal));
  t.true(instance.isFinished());
});

test('once it was up, no fault of a service ends it', async (t) => {
  const instance = await launch(t);
  const tree = await instance.bringUp();
  tree.service('containerd', 'failed', { lastExit: 'exit code 1' });
  tree.report({ type: 'error', message: 'no memory', code: 'x', fixes: [] });
  t.is(await phaseOf(instance), 'degraded');
  t.deepEqual(instance.failures(), []);
  t.deepEqual(instance.warnings(), ['no memory']);
});

test('a port of the settings that is refused fails the start', async (t) => {
  const refused = Object.assign(new Error('it is in use'), { code: 'port-taken' });
  const ports = { ...noPorts, open: () => Promise.reject(refused) };
  const instance = await launch(t, { ports });
  (await instance.tree()).report({ type: 'prepared' });
  await instance.launcher.finished;
  t.like(instance.failures()[0], { message: 'it is in use' });
});

const stops: Record<string, (instance: Watched) => Promise<unknown>> = {
  'while the namespaces are opened': (instance) => instance.tree(),
  'before anything has begun': () => Promise.resolve(),
  'while services start': async (instance) => {
    const tree = await instance.tree();
    tree.report({ type: 'prepared' });
    await until(() => tree.commands.length > 0);
  },
  'when it runs': (instance) => instance.bringUp(),
  'while it is rebuilt': async (instance) => {
    (await instance.bringUp()).end('lost');
    await instance.tree(1);
  },
};
for (const [when, arrive] of Object.entries(stops)) {
  test(`${when} → stopping → finished`, async (t) => {
    const instance = await launch(t);
    await arrive(instance);
    instance.launcher.receive({ type: 'stop' });
    await instance.launcher.finished;
    t.deepEqual(instance.failures(), []);
    const last = instance.messages.at(-1);
    t.like(last, { type: 'event', event: { id: 'stop', state: 'done' } });
    t.false(existsSync(instance.plan.controlSocket));
    const lives = instance.trees.length;
    t.true(instance.trees.every(({ killed }) => !killed));
    await new Promise(setImmediate);
    t.is(instance.trees.length, lives);
  });
}

test('a stop during the pause before a rebuild waits for nothing', async (t) => {
  const instance = await launch(t);
  (await instance.bringUp()).end('first');
  // Enough of them that the pause is one of 30 s, which does not pass here.
  for (let life = 1; life <= 7; life++) (await instance.tree(life)).end('again');
  await until(() => instance.clock.slept.includes(30_000));
  t.is(await phaseOf(instance), 'rebuilding');
  instance.launcher.stop();
  await instance.launcher.finished;
  t.is(instance.trees.length, 8);
});

test('a stop says what it waits for, to the front and to who asked through the control socket', async (t) => {
  const instance = await launch(t);
  const tree = await instance.bringUp();
  tree.stubborn = true;
  const phases: string[] = [];
  const stopped = stopInstance(instance.plan.controlSocket, signal, ({ phase }) => phases.push(phase));
  await until(() => tree.commands.some(({ type }) => type === 'stop'));
  t.is(await phaseOf(instance), 'stopping');
  tree.service('containerd', 'stopping', { pid: 7 });
  t.like(instance.messages.at(-1), { event: { id: 'stop', detail: 'waiting for containerd' } });
  tree.end('RootlessKit ended: exit code 0');
  t.true(await stopped);
  t.deepEqual([...new Set(phases)], ['stopping']);
});

test('a second stop waits for the first, and asks for nothing more', async (t) => {
  const instance = await launch(t);
  const tree = await instance.bringUp();
  tree.stubborn = true;
  instance.launcher.stop();
  instance.launcher.stop();
  instance.launcher.receive({ type: 'stop' });
  await new Promise(setImmediate);
  t.is(tree.commands.filter(({ type }) => type === 'stop').length, 1);
  t.false(instance.isFinished());
  tree.end('RootlessKit ended: exit code 0');
  await instance.launcher.finished;
});

test('a node that does not obey the stop is killed after its grace', async (t) => {
  const instance = await launch(t);
  const tree = await instance.bringUp();
  tree.stubborn = true;
  instance.launcher.stop();
  await new Promise(setImmediate);
  instance.clock.pass(29_000);
  await new Promise(setImmediate);
  t.false(tree.killed);
  instance.clock.pass(1_000);
  await instance.launcher.finished;
  t.true(tree.killed);
});

test('a front that goes away takes the instance with it', async (t) => {
  const instance = await launch(t);
  await instance.bringUp();
  instance.launcher.frontGone();
  await instance.launcher.finished;
  t.false(instance.trees.some(({ killed }) => killed));
});

test('a front that goes away while it waits for the stop waits no longer: the node is killed', async (t) => {
  const instance = await launch(t);
  const tree = await instance.bringUp();
  tree.stubborn = true;
  instance.launcher.stop();
  instance.launcher.frontGone();
  await instance.launcher.finished;
  t.true(tree.killed);
});

test('a front that has detached may go', async (t) => {
  const instance = await launch(t);
  await instance.bringUp();
  instance.launcher.receive({ type: 'detach' });
  instance.launcher.frontGone();
  t.is(await phaseOf(instance), 'running');
});

test('a launcher that was told to open nothing finishes when it is stopped', async (t) => {
  const { createLauncher } = await import('#src/launcher/launcher.js');
  const launcher = createLauncher(() => undefined);
  launcher.frontGone();
  await launcher.finished;
  t.pass();
});

test('a runtime directory that was emptied: the control socket is served again by the next life', async (t) => {
  const instance = await launch(t);
  const tree = await instance.bringUp();
  await rm(instance.plan.controlSocket);
  t.is(await instanceStatus(instance.plan.controlSocket, signal), undefined);
  tree.end(`${instance.plan.controlSocket} was removed`);
  await instance.bringUp(1);
  t.like(await statusOf(instance), { phase: 'running', rebuilds: 1 });
});

test('the node is restarted through the control socket: not counted as lost, and answered when it is up', async (t) => {
  const instance = await launch(t);
  const tree = await instance.bringUp();
  let answered = false;
  const restarted = restartInstance(instance.plan.controlSocket, undefined, signal).then(() => {
    answered = true;
  });
  await instance.tree(1);
  t.is(tree.commands.at(-1)?.type, 'stop');
  t.is(await phaseOf(instance), 'rebuilding');
  t.false(answered);
  await instance.bringUp(1);
  await restarted;
  t.like(await statusOf(instance), { phase: 'running', rebuilds: 0 });
  t.deepEqual(
    instance.clock.slept.filter((ms) => ms < 30_000),
    [],
  );
});

test('a node that is not up cannot be restarted', async (t) => {
  const instance = await launch(t);
  await instance.tree();
  const error = await t.throwsAsync(restartInstance(instance.plan.controlSocket, undefined, signal));
  t.like(error, { code: 'not-up', fixes: [u7s(['status'], { text: 'see what it waits for' })] });
});

test('one service is restarted through the control socket: answered when it is ready again', async (t) => {
  const instance = await launch(t);
  const tree = await instance.bringUp();
  const restarted = restartInstance(instance.plan.controlSocket, 'containerd', signal);
  await until(() => tree.commands.some(({ type }) => type === 'restart'));
  t.deepEqual(tree.commands.at(-1), { type: 'restart', name: 'containerd' });
  tree.service('containerd', 'starting', { restarts: 1 });
  tree.service('containerd', 'ready', { restarts: 1 });
  await t.notThrowsAsync(restarted);
  const unknown = await t.throwsAsync(restartInstance(instance.plan.controlSocket, 'etc', signal));
  t.like(unknown, { code: 'no-such-service', fixes: ['name one of: containerd'] });
});

test('a restart that the stop overtakes is told so', async (t) => {
  const instance = await launch(t);
  const tree = await instance.bringUp();
  const restarted = restartInstance(instance.plan.controlSocket, 'containerd', signal);
  await until(() => tree.commands.some(({ type }) => type === 'restart'));
  tree.stubborn = true;
  instance.launcher.stop();
  t.like(await t.throwsAsync(restarted), { code: 'stopping' });
});

test('ports go through the launcher; without a node there are none', async (t) => {
  const instance = await launch(t);
  await instance.bringUp();
  const ports = instancePorts(instance.plan.controlSocket);
  const spec = parsePortSpec('127.0.0.1:8080:80/tcp');
  t.deepEqual(await ports.add(spec, signal), { id: 1, spec });
  t.deepEqual(await ports.list(signal), []);
  await ports.remove(1, signal);
  await ports.forget(spec, signal);
  instance.launcher.stop();
  await instance.launcher.finished;
  t.like(await t.throwsAsync(ports.list(signal)), { code: 'not-running' });
});

test('a request that is none of ours gets an error, and the launcher lives on', async (t) => {
  const instance = await launch(t);
  await instance.bringUp();
  for (const line of ['{"type":"fly"}', '{"type":"add-port"}', 'oops']) {
    const socket = connect(instance.plan.controlSocket);
    socket.end(`${line}\n`);
    t.like(JSON.parse(await text(socket)), { code: 'unknown-request' }, line);
  }
  t.is(await phaseOf(instance), 'running');
});

test('what is no report of the supervisor is logged', async (t) => {
  const instance = await launch(t);
  (await instance.bringUp()).noise('oops');
  t.like(instance.messages.at(-1), { type: 'event', event: { kind: 'note' } });
  t.is(await phaseOf(instance), 'running');
});
