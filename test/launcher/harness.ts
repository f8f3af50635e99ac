import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { serveLauncher } from '#src/launcher/control-server.js';
import type { LauncherMessage } from '#src/launcher/front-protocol.js';
import { createLauncher, type Launcher } from '#src/launcher/launcher.js';
import { runNode, type NodeWorld } from '#src/launcher/node.js';
import type { NodeTree } from '#src/launcher/node-tree.js';
import type { NodePorts } from '#src/launcher/ports.js';
import type { SupervisorCommand, SupervisorReport } from '#src/launcher/supervisor-protocol.js';
import { deferred } from '#src/lib/deferred.js';
import type { InstancePlan, NamespacePlan } from '#src/plan/types.js';
import type { Clock } from '#src/supervisor/clock.js';
import type { ServicePhase, ServiceStatus } from '#src/supervisor/definition.js';
import type { Worker } from '#src/workers/worker.js';
import { temporary } from '../temporary.js';
import { clusterPlan, namespacePlan } from './plans.js';

/** RootlessKit with the supervisor inside, as far as the launcher sees it. It obeys a stop unless it is `stubborn`. */
export type FakeTree = NodeTree & {
  commands: SupervisorCommand[];
  stubborn: boolean;
  killed: boolean;
  report(message: SupervisorReport): void;
  noise(line: string): void;
  /** A service has got into this phase. */
  service(name: string, phase: ServicePhase, more?: Partial<ServiceStatus>): void;
  end(why: string): void;
};

export function fakeTree(
  onReport: (message: SupervisorReport) => void,
  noise: (line: string) => void,
): FakeTree {
  const ended = deferred<string>();
  const tree: FakeTree = {
    commands: [],
    stubborn: false,
    killed: false,
    ended: ended.promise,
    report: onReport,
    noise,
    end: ended.resolve,
    service: (name, phase, more = {}) =>
      onReport({ type: 'service', status: { name, phase, restarts: 0, since: 1, ...more } }),
    send: (command) => {
      tree.commands.push(command);
      if (command.type !== 'stop' || tree.stubborn) return;
      onReport({ type: 'stopped' });
      ended.resolve('RootlessKit ended: exit code 0');
    },
    kill: () => {
      tree.killed = true;
      ended.resolve('RootlessKit ended: signal SIGKILL');
    },
  };
  return tree;
}

/** Time that passes only by `pass`; a sleep of less than `atOnceMs` takes none. */
export function fakeClock(atOnceMs = 0): Clock & { slept: number[]; pass(ms: number): void } {
  let now = 0;
  const sleepers = new Set<{ until: number; wake: () => void }>();
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep: (ms, signal) => {
      signal.throwIfAborted();
      slept.push(ms);
      if (ms < atOnceMs) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const sleeper = { until: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason as Error);
        });
      });
    },
    pass: (ms) => {
      now += ms;
      for (const sleeper of sleepers) if (sleeper.until <= now) sleeper.wake();
    },
  };
}

export const noPorts: NodePorts = {
  open: () => Promise.resolve(),
  list: () => Promise.resolve([]),
  publish: () => Promise.resolve([]),
  add: (spec) => Promise.resolve({ id: 1, spec }),
  remove: () => Promise.resolve(),
  forget: () => Promise.resolve(),
  takeBack: () => Promise.resolve(),
};

/** A world without processes: its trees do what the test says. */
export function fakeWorld(
  trees: FakeTree[],
  { workers = [], ports = noPorts, clock = fakeClock() }: Partial<FakeWorldOptions> = {},
): NodeWorld {
  return {
    startTree: (_plan, onReport, onNoise) => {
      const tree = fakeTree(onReport, onNoise);
      trees.push(tree);
      return Promise.resolve(tree);
    },
    portsOf: () => ports,
    workersOf: () => workers,
    clock,
  };
}

type FakeWorldOptions = { workers: readonly Worker[]; ports: NodePorts; clock: Clock };

export type Watched = {
  launcher: Launcher;
  plan: NamespacePlan;
  messages: LauncherMessage[];
  trees: FakeTree[];
  clock: ReturnType<typeof fakeClock>;
  isFinished(): boolean;
  /** The n-th life's tree, when it has started. */
  tree(life?: number): Promise<FakeTree>;
  /** Prepares the namespaces of a life and gets its services ready, until it is up. */
  bringUp(life?: number): Promise<FakeTree>;
  /** Texts of warnings. */
  warnings(): string[];
  failures(): Extract<LauncherMessage, { type: 'failed' }>[];
};

type Options = Partial<FakeWorldOptions> & {
  retain: boolean;
  cluster: InstancePlan;
  breakTree: () => boolean;
};

/** A launcher in a world of its own, told to open and run an instance; only its control socket is real. */
export async function launch(t: ExecutionContext, options: Partial<Options> = {}): Promise<Watched> {
  const { retain = false, cluster = clusterPlan() } = options;
  const plan = namespacePlan(await temporary(t));
  const messages: LauncherMessage[] = [];
  const trees: FakeTree[] = [];
  // The back-off takes no time; the grace of a stop, 30 s, does.
  const clock = fakeClock(30_000);
  const world = fakeWorld(trees, { clock, ...options });
  let isFinished = false;
  const launcher = createLauncher((message) => messages.push(message), {
    runNode: (...args) => runNode(...args, world),
    serve: async (...args) => {
      const server = await serveLauncher(...args);
      // As the end of the process does.
      void launcher.finished.then(() => server.close());
      return server;
    },
    clock,
    random: () => 1,
  });
  void launcher.finished.then(() => (isFinished = true));
  t.teardown(async () => {
    launcher.stop();
    for (const each of trees) each.kill();
    await launcher.finished;
  });
  launcher.receive({ type: 'open', plan, retain });
  launcher.receive({ type: 'run', plan: cluster });
  const tree = async (life = 0): Promise<FakeTree> => {
    await until(() => trees[life] !== undefined);
    return trees[life] as FakeTree;
  };
  const readyMessages = (): number => messages.filter(({ type }) => type === 'ready').length;
  return {
    launcher,
    plan,
    messages,
    trees,
    clock,
    isFinished: () => isFinished,
    tree,
    bringUp: async (life = 0) => {
      const present = await tree(life);
      const before = readyMessages();
      present.report({ type: 'prepared' });
      await until(() => present.commands.some(({ type }) => type === 'start'));
      for (const { name } of cluster.services) present.service(name, 'ready', { pid: 7 });
      await until(() => readyMessages() > before);
      return present;
    },
    warnings: () =>
      messages.flatMap((message) =>
        message.type === 'event' && message.event.kind === 'warning' ? [message.event.text] : [],
      ),
    failures: () => messages.filter((message) => message.type === 'failed'),
  };
}

/** Waits until it is true, a few seconds at most. */
export async function until(isTrue: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`it did not come true: ${isTrue.toString()}`);
    await delay(2);
  }
}
