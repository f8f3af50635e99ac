import { deferred } from '../lib/deferred.js';
import { createChanges } from '../lib/changes.js';
import { messageOf, U7sError } from '../lib/errors.js';
import type { Event, Report } from '../lib/events.js';
import type { InstancePlan, KubernetesPlan, NamespacePlan, PortPlan } from '../plan/types.js';
import { systemClock, type Clock } from '../supervisor/clock.js';
import type { ServiceStatus } from '../supervisor/definition.js';
import type { Worker, WorkerContext } from '../workers/worker.js';
import { workersOf } from '../workers/workers.js';
import { allUp } from './diagnosis.js';
import { followRegistries } from './registries.js';
import { startNodeTree, type NodeTree } from './node-tree.js';
import { createNodePorts, type NodePorts } from './ports.js';
import type { SupervisorReport } from './supervisor-protocol.js';
import { runBefore, runWorkers } from './work.js';

/** All services' grace periods run in at most three waves of 5 s. */
const stopLimitMs = 30_000;
/** The service that is ready when the API answers, as far as that depends on this node. */
const firstService = { 'control-plane': 'kube-apiserver', worker: 'kubelet' } as const;

const namespacesStep = { kind: 'step', id: 'namespaces', title: 'namespaces' } as const;

/** One life of the namespaces, and what acts on it. */
export type Node = {
  /** Settles when nothing of it runs any more. `asked`: it was stopped by us. */
  ended: Promise<NodeEnd>;
  ports: NodePorts;
  restartService(name: string): void;
  /** In order; by force when that takes too long. */
  stop(): void;
  /** By force, at once. */
  kill(): void;
};

export type NodeEnd = { why: string; asked: boolean };

export type NodeListener = {
  report: Report;
  onService(status: ServiceStatus): void;
  onUp(): void;
  /** What could not be done. The node goes on, unless it is stopped for that. */
  onFault(error: unknown): void;
};

/** What touches the world, so that tests can do without one. */
export type NodeWorld = {
  startTree(
    plan: NamespacePlan,
    onReport: (report: SupervisorReport) => void,
    onNoise: (line: string) => void,
  ): Promise<NodeTree>;
  portsOf(plan: PortPlan): NodePorts;
  workersOf(plan: KubernetesPlan): readonly Worker[];
  clock: Clock;
};

export const realNodeWorld: NodeWorld = {
  startTree: startNodeTree,
  portsOf: createNodePorts,
  workersOf,
  clock: systemClock,
};

/**
 * Runs a node once. Whatever it owns ends with it.
 *
 *     RootlessKit ──► prepared ──► services ──► API ready ──► workers ──► up
 *                         └──────► ports
 */
export function runNode(
  plan: NamespacePlan,
  cluster: Promise<InstancePlan>,
  listener: NodeListener,
  world: NodeWorld = realNodeWorld,
): Node {
  /** Aborted as soon as it is to stop or has ended. */
  const life = new AbortController();
  const { signal } = life;
  const { report } = listener;
  const services = new Map<string, ServiceStatus>();
  const changes = createChanges();
  const prepared = deferred();
  const ports = world.portsOf(plan.ports);
  const restart = (name: string): void => tree?.send({ type: 'restart', name });
  const context: WorkerContext = { since: new Date(), ports, report, restart };
  let workers: readonly Worker[] = [];
  let isPrepared = false;
  let tree: NodeTree | undefined;
  let wish: 'live' | 'stop' | 'kill' = 'live';

  function hear(message: SupervisorReport): void {
    switch (message.type) {
      case 'prepared':
        isPrepared = true;
        report({ ...namespacesStep, state: 'done' });
        return prepared.resolve();
      case 'service':
        services.set(message.status.name, message.status);
        listener.onService(message.status);
        return changes.notify();
      case 'error':
        listener.onFault(new U7sError(message.code, message.message, { fixes: message.fixes }));
        // Namespaces that could not be prepared are of no use.
        if (!isPrepared) tree?.kill();
        break;
      case 'stopped':
    }
  }

  async function live(): Promise<string> {
    report({ ...namespacesStep, state: 'started' });
    tree = await world.startTree(plan, hear, (line) => report(noReport(line)));
    obey();
    return tree.ended;
  }

  async function bringUp(): Promise<void> {
    await prepared.promise;
    // A node without one of its ports is of use to the others.
    ports.open(report, signal).catch(noteFault);
    const { services: definitions, kubernetes, registries } = await cluster;
    if (kubernetes !== undefined) workers = world.workersOf(kubernetes);
    await runBefore(workers, context, signal);
    if (signal.aborted) return;
    tree?.send({ type: 'start', services: definitions });
    followRegistries(registries, kubernetes && tree, report, signal).catch(noteFault);
    if (kubernetes === undefined) await changes.until(() => allUp(definitions, services), signal);
    else await work(kubernetes);
    listener.onUp();
  }

  async function work(kubernetes: KubernetesPlan): Promise<void> {
    await changes.until(() => services.get(firstService[kubernetes.role])?.phase === 'ready', signal);
    await runWorkers(workers, context, { clock: world.clock, onFault: noteFault, signal });
  }

  function noteFault(error: unknown): void {
    if (!signal.aborted) listener.onFault(error);
  }

  /** Does with the tree what is wished; it may not be there yet. */
  function obey(): void {
    if (wish !== 'live') life.abort(new Error('the node is stopping'));
    if (tree === undefined) return;
    if (wish === 'kill') tree.kill();
    if (wish === 'stop') stopTree(tree, world.clock);
  }

  bringUp().catch(noteFault);
  return {
    ports,
    ended: live()
      .catch(messageOf)
      .then((why) => {
        life.abort(new Error(`the node has ended: ${why}`));
        return { why, asked: wish !== 'live' };
      }),
    restartService: (name) => void runBefore(workers, context, signal).then(() => restart(name)),
    stop: () => {
      if (wish !== 'live') return;
      wish = 'stop';
      obey();
    },
    kill: () => {
      wish = 'kill';
      obey();
    },
  };
}

function noReport(line: string): Event {
  return { kind: 'note', text: `ignored, since it is no report of the supervisor: ${line.slice(0, 200)}` };
}

function stopTree(tree: NodeTree, clock: Clock): void {
  tree.send({ type: 'stop' });
  const over = new AbortController();
  void tree.ended.then(() => over.abort());
  clock.sleep(stopLimitMs, over.signal).then(
    () => tree.kill(),
    () => undefined,
  );
}
