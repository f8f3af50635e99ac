import test, { type ExecutionContext } from 'ava';
import { runNode, type Node } from '#src/launcher/node.js';
import { deferred } from '#src/lib/deferred.js';
import { messageOf } from '#src/lib/errors.js';
import type { Event } from '#src/lib/events.js';
import type { InstancePlan } from '#src/plan/types.js';
import type { Worker } from '#src/workers/worker.js';
import { fakeClock, fakeWorld, noPorts, until, type FakeTree } from './harness.js';
import { clusterPlan, kubernetesPlan, namespacePlan } from './plans.js';

type Life = {
  node: Node;
  tree(): Promise<FakeTree>;
  plan(cluster: InstancePlan): void;
  /** What its listener has heard: `up`, `fault …`, `warning …`. */
  heard: string[];
  clock: ReturnType<typeof fakeClock>;
};

/** One life of a node in a world without processes. */
function live(t: ExecutionContext, workers: readonly Worker[] = [], ports = noPorts): Life {
  const trees: FakeTree[] = [];
  const heard: string[] = [];
  const clock = fakeClock(10_000);
  const cluster = deferred<InstancePlan>();
  const report = (event: Event): void =>
    void (event.kind === 'warning' && heard.push(`warning ${event.text}`));
  const node = runNode(
    namespacePlan('/nonexistent'),
    cluster.promise,
    {
      report,
      onService: () => undefined,
      onUp: () => heard.push('up'),
      onFault: (error) => heard.push(`fault ${messageOf(error)}`),
    },
    fakeWorld(trees, { workers, ports, clock }),
  );
  t.teardown(() => node.kill());
  return {
    node,
    heard,
    clock,
    plan: cluster.resolve,
    tree: async () => {
      await until(() => trees.length > 0);
      return trees[0] as FakeTree;
    },
  };
}

/** A worker whose run the test ends, and that tells what becomes of it. */
function worker(name: string, stage: Worker['stage'], log: string[]) {
  const done = deferred();
  const run: Worker['run'] = async (_context, signal) => {
    log.push(`${name} runs`);
    signal.addEventListener('abort', () => {
      log.push(`${name} is told to end`);
      done.resolve();
    });
    await done.promise;
  };
  return { name, stage, run, finish: done.resolve };
}

/** Gets a life to where its API answers. */
async function toApi(life: Life): Promise<FakeTree> {
  const present = await life.tree();
  life.plan(clusterPlan(kubernetesPlan));
  present.report({ type: 'prepared' });
  await until(() => present.commands.length > 0);
  present.service('etcd', 'ready');
  present.service('kube-apiserver', 'ready');
  return present;
}

test('workers run in their stages, and end with the node', async (t) => {
  const log: string[] = [];
  const bringUp = worker('bring-up', 'bring-up', log);
  const life = live(t, [worker('approver', 'up', log), bringUp, worker('publisher', 'api', log)]);
  const tree = await life.tree();
  life.plan(clusterPlan(kubernetesPlan));
  tree.report({ type: 'prepared' });
  tree.service('etcd', 'ready');
  await until(() => tree.commands.length > 0);
  t.deepEqual(log, []);
  tree.service('kube-apiserver', 'ready');
  await until(() => log.length === 2);
  t.deepEqual(log.splice(0).sort(), ['bring-up runs', 'publisher runs']);
  t.deepEqual(life.heard, []);
  bringUp.finish();
  await until(() => life.heard.length > 0);
  t.deepEqual(life.heard, ['up']);
  await until(() => log.length > 0);
  t.deepEqual(log.splice(0), ['approver runs']);
  tree.end('slirp4netns ended');
  t.deepEqual(await life.node.ended, { why: 'slirp4netns ended', asked: false });
  t.deepEqual(log.sort(), ['approver is told to end', 'bring-up is told to end', 'publisher is told to end']);
});

test('what a worker does before services start is done before they start, and before one starts again', async (t) => {
  const log: string[] = [];
  const before: Worker['before'] = async () => {
    await Promise.resolve();
    log.push('before');
  };
  const life = live(t, [{ name: 'renewal', stage: 'api', before, run: () => Promise.resolve() }]);
  const tree = await life.tree();
  life.plan(clusterPlan(kubernetesPlan));
  tree.report({ type: 'prepared' });
  await until(() => tree.commands.length > 0);
  t.deepEqual(log.splice(0), ['before']);
  life.node.restartService('etcd');
  t.is(tree.commands.length, 1);
  await until(() => tree.commands.length > 1);
  t.deepEqual(log, ['before']);
  t.deepEqual(tree.commands.at(-1), { type: 'restart', name: 'etcd' });
});

test('a worker’s node is up when its kubelet is ready and the bring-up done', async (t) => {
  const life = live(t);
  const tree = await life.tree();
  life.plan(clusterPlan({ ...kubernetesPlan, role: 'worker' }));
  tree.report({ type: 'prepared' });
  await until(() => tree.commands.length > 0);
  tree.service('kubelet', 'ready');
  await until(() => life.heard.length > 0);
  t.deepEqual(life.heard, ['up']);
});

test('a bring-up that fails is a fault and tried again; another worker that fails is a warning', async (t) => {
  let tries = 0;
  const failing: Worker = {
    name: 'bring-up',
    stage: 'bring-up',
    run: () => (++tries < 3 ? Promise.reject(new Error(`refused ${tries}`)) : Promise.resolve()),
  };
  const broken: Worker = {
    name: 'publisher',
    stage: 'api',
    run: () => (tries < 3 ? Promise.reject(new Error('no key')) : new Promise(() => undefined)),
  };
  const life = live(t, [failing, broken]);
  await toApi(life);
  await until(() => life.heard.includes('up'));
  t.deepEqual(life.heard.sort(), [
    'fault refused 1',
    'fault refused 2',
    'up',
    'warning publisher: no key; trying again',
  ]);
});

test('the ports open while services start; a fault of them is one of the node', async (t) => {
  const life = live(t, [], { ...noPorts, open: () => Promise.reject(new Error('it is in use')) });
  (await life.tree()).report({ type: 'prepared' });
  await until(() => life.heard.length > 0);
  t.deepEqual(life.heard, ['fault it is in use']);
});

test('a stop ends the workers at once, and is a wish of ours', async (t) => {
  const log: string[] = [];
  const life = live(t, [worker('publisher', 'api', log)]);
  const tree = await toApi(life);
  await until(() => log.length > 0);
  tree.stubborn = true;
  life.node.stop();
  t.deepEqual(log, ['publisher runs', 'publisher is told to end']);
  tree.end('RootlessKit ended: exit code 0');
  t.deepEqual(await life.node.ended, { why: 'RootlessKit ended: exit code 0', asked: true });
});

test('a stop before the tree is there, and a kill as well', async (t) => {
  const [stopped, killed] = [live(t), live(t)];
  stopped.node.stop();
  killed.node.kill();
  t.true((await stopped.node.ended).asked);
  t.like(await killed.node.ended, { why: 'RootlessKit ended: signal SIGKILL', asked: true });
});
