import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { codeOf, fixesOf, messageOf } from '../lib/errors.js';
import { warningOf, type Event } from '../lib/events.js';
import type { InstancePlan, NamespacePlan } from '../plan/types.js';
import { systemClock, type Clock } from '../supervisor/clock.js';
import type { ControlServer } from '../supervisor/control-socket.js';
import type { ServiceStatus } from '../supervisor/definition.js';
import { keepRotated, logPath } from '../supervisor/log-file.js';
import { serveLauncher, type Steering } from './control-server.js';
import { isHopeless, startFault, stillRunning } from './diagnosis.js';
import type { LauncherMessage } from './front-protocol.js';
import { runNode, type Node, type NodeEnd, type NodeListener } from './node.js';
import { keepNode } from './rebuild.js';
import { serviceStep } from './service-step.js';
import { createInstanceState, type InstanceState } from './state.js';
import type { InstanceStatus } from './status.js';

const stopStep = { kind: 'step', id: 'stop', title: 'stop' } as const;

/** An instance from its start to its end. */
export type RunningInstance = {
  /** Settles when nothing of it runs any more. */
  ended: Promise<void>;
  /** In order. */
  stop(): void;
  /** Stops it, by force if it is being stopped already. */
  stopOrKill(): void;
};

/** What touches the world, so that tests can do without one. */
export type InstanceWorld = {
  runNode(plan: NamespacePlan, cluster: Promise<InstancePlan>, listener: NodeListener): Node;
  serve(plan: NamespacePlan, steering: Steering, signal: AbortSignal): Promise<ControlServer>;
  clock: Clock;
  random: () => number;
};

export const realInstanceWorld: InstanceWorld = {
  runNode,
  serve: serveLauncher,
  clock: systemClock,
  random: Math.random,
};

/**
 * Keeps the node of an instance alive, one life after another, and answers on the control socket.
 *
 *     starting ──► running ──► stopping ──► ended
 *                  ▲    │
 *              rebuilding: the node was lost
 */
export function runInstance(
  plan: NamespacePlan,
  planned: Promise<InstancePlan>,
  { retain, tell }: { retain: boolean; tell: (message: LauncherMessage) => void },
  world: InstanceWorld = realInstanceWorld,
): RunningInstance {
  const stopping = new AbortController();
  const state = createInstanceState();
  const report = (event: Event): void => tell({ type: 'event', event });
  let cluster: InstancePlan | undefined;
  let node: Node | undefined;
  void planned.then((known) => (cluster = known));

  async function live(): Promise<void> {
    const { clock, random } = world;
    const serve = (signal: AbortSignal): Promise<ControlServer> => world.serve(plan, steering, signal);
    await hosted(plan, serve, stopping.signal, async (serveAgain) => {
      const once = (): Promise<NodeEnd> => runOnce(serveAgain);
      await keepNode(once, { state, report, clock, random }, stopping.signal).catch(fail);
    });
    if (stopping.signal.aborted) report({ ...stopStep, state: 'done' });
  }

  async function runOnce(serveAgain: () => Promise<void>): Promise<NodeEnd> {
    try {
      await serveAgain();
    } catch (error) {
      return { why: messageOf(error), asked: false };
    }
    node = world.runNode(plan, planned, { report, onService, onUp, onFault: fail });
    if (stopping.signal.aborted) node.stop();
    try {
      return await node.ended;
    } finally {
      node = undefined;
    }
  }

  function onService(status: ServiceStatus): void {
    const event = state.heard(status) ? serviceStep(status) : undefined;
    if (stopping.signal.aborted) {
      const detail = `waiting for ${stillRunning(state.services.values())}`;
      return report({ ...stopStep, state: 'progress', detail });
    }
    if (event !== undefined) report(event);
    if (!state.wasUp && isHopeless(status))
      void startFault(status.name, cluster?.services ?? [], state.services, plan.logs).then(fail);
  }

  function onUp(): void {
    state.broughtUp();
    tell({ type: 'ready' });
  }

  /** Before the node was ever up a fault ends the start. Later it is a warning: the supervisor and workers go on trying. */
  function fail(error: unknown): void {
    if (state.wasUp) return report(warningOf(error));
    if (stopping.signal.aborted) return;
    tell(failure(error));
    if (!retain) stop();
  }

  function stop(): void {
    if (stopping.signal.aborted) return;
    stopping.abort(new Error('the cluster is stopping'));
    state.stopping();
    report({ ...stopStep, state: 'started' });
    node?.stop();
  }

  const steering: Steering = {
    state,
    status: () => statusOf(state, plan, cluster),
    stop,
    restartNode: () => node?.stop(),
    restartService: (name) => node?.restartService(name),
    ports: () => node?.ports,
  };

  return {
    ended: live().catch(fail),
    stop,
    stopOrKill: () => {
      if (stopping.signal.aborted) node?.kill();
      else stop();
    },
  };
}

function failure(error: unknown): LauncherMessage {
  const code = codeOf(error) ?? 'start-failed';
  return { type: 'failed', message: messageOf(error), code, fixes: fixesOf(error) };
}

/**
 * Has the control socket served and logs rotated while `work` runs. `serveAgain` replaces a socket that is gone: a logout,
 * for example, may empty the runtime directory. At the end nothing of the instance is left there.
 */
async function hosted(
  plan: NamespacePlan,
  serve: (signal: AbortSignal) => Promise<ControlServer>,
  signal: AbortSignal,
  work: (serveAgain: () => Promise<void>) => Promise<void>,
): Promise<void> {
  let server = await serve(signal);
  const endRotation = keepRotated(['launcher', 'rootlesskit'].map((name) => logPath(plan.logs, name)));
  try {
    await work(async () => {
      if (existsSync(plan.controlSocket) || signal.aborted) return;
      await server.close();
      server = await serve(signal);
    });
  } finally {
    endRotation();
    const { engine } = plan;
    const ofEngine = engine === undefined ? [] : [engine.folder, engine.link];
    const left = [plan.readyFile, plan.rootlesskitDir, plan.controlSocket, ...ofEngine];
    await Promise.all(left.map((path) => rm(path, { recursive: true, force: true })));
  }
}

function statusOf(
  state: InstanceState,
  { cluster: name, preset, cgroups, engine, proxy, hostAccess }: NamespacePlan,
  cluster: InstancePlan | undefined,
): InstanceStatus {
  const kubernetes = cluster?.kubernetes;
  return {
    ...state.summary(),
    cluster: name,
    launcherPid: process.pid,
    preset,
    ...(kubernetes === undefined
      ? {}
      : {
          role: kubernetes.role,
          nodeName: kubernetes.nodeName,
          apiServer: kubernetes.api.server,
          networkPolicies: kubernetes.networkPolicies,
        }),
    ...(engine === undefined ? {} : { dockerSocket: engine.link }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(hostAccess.length === 0 ? {} : { hostAccess }),
    cgroups,
  };
}
