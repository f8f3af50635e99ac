import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { deferred } from '../lib/deferred.js';
import { codeOf, fixesOf, messageOf } from '../lib/errors.js';
import type { Event } from '../lib/events.js';
import type { Fix } from '../lib/fixes.js';
import type { OwnedPort } from '../rootless/port-spec.js';
import { nextRestart, noRestarts } from '../supervisor/backoff.js';
import type { ServiceStatus } from '../supervisor/definition.js';
import type { ControlServer } from '../supervisor/control-socket.js';
import { keepRotated, logPath } from '../supervisor/log-file.js';
import { startApprover } from '../workers/node-approver.js';
import { bringUp } from '../workers/bring-up.js';
import { createInstanceState } from './state.js';
import { allUp, culprit, isHopeless, lastWords, remedy, stillRunning } from './diagnosis.js';
import { startExposer, type Exposer } from '../workers/port-publisher.js';
import { serveLauncher, type Steering } from './control-server.js';
import { startNodeTree, type NodeTree } from './node-tree.js';
import { createPortKeeper, type PortKeeper } from './port-keeper.js';
import type { InstancePlan, KubernetesPlan, NamespacePlan } from '../plan/types.js';
import type { FrontMessage, LauncherMessage } from './front-protocol.js';
import type { InstanceStatus } from './status.js';
import type { SupervisorReport } from './supervisor-protocol.js';
import { serviceStep } from './service-step.js';

const stopStep = { kind: 'step', id: 'stop', title: 'stop' } as const;
/** All services' grace periods run in at most three waves of 5 s. */
const stopLimitMs = 30_000;
/** A tree that was up is built again at once, but for the 12 times a minute that services have too. */
const rebuildBackoff = { initialMs: 500, maxMs: 30_000 };
/** The service that is ready when the API can be spoken to, as far as that depends on this node. */
const firstService = { 'control-plane': 'kube-apiserver', worker: 'kubelet' } as const;
/** Pause before what brings a rebuilt cluster up is tried again, when the API refused something. */
const bringUpRetryMs = 5_000;

export type Launcher = {
  receive(message: FrontMessage): void;
  /** The command that started us is gone: without `detach` before, the cluster goes with it. */
  frontGone(): void;
  stop(): void;
  /** Settles when nothing of the cluster runs any more. */
  finished: Promise<void>;
};

/**
 * The host side of a running cluster: keeps RootlessKit's tree alive, answers on the control socket, and brings the
 * cluster up through the published API. Lives as long as the cluster, so it imports nothing heavy.
 *
 *     open ──► namespaces ──► services ──► API ready ──► node Ready ──► running ──► stopping ──► finished
 *                  ▲                                                       │
 *                  └───── rebuilding ◄───── RootlessKit's tree died ◄──────┘
 */
export function createLauncher(tell: (message: LauncherMessage) => void): Launcher {
  const stopping = new AbortController();
  const state = createInstanceState();
  const report = (event: Event): void => tell({ type: 'event', event });
  const { promise: finished, resolve: finish } = deferred();
  let cluster: InstancePlan | undefined;
  let namespaces: NamespacePlan | undefined;
  let server: ControlServer | undefined;
  let ports: PortKeeper | undefined;
  let tree: NodeTree | undefined;
  let exposer: Exposer | undefined;
  let treeEnd = new AbortController();
  let prepared = false;
  let apiSeen = false;
  let restartAsked = false;
  let detached = false;
  let retain = false;

  function receive(message: FrontMessage): void {
    switch (message.type) {
      case 'open':
        namespaces = message.plan;
        retain = message.retain;
        ports = createPortKeeper(message.plan.ports);
        void live(message.plan)
          .catch((error: unknown) => fail(messageOf(error)))
          .finally(finish);
        break;
      case 'run':
        cluster = message.plan;
        startServices();
        break;
      case 'detach':
        detached = true;
        break;
      case 'stop':
        stop();
    }
  }

  async function live(plan: NamespacePlan): Promise<void> {
    server = await serveLauncher(plan, steering, stopping.signal);
    const endRotation = keepRotated(['launcher', 'rootlesskit'].map((name) => logPath(plan.logs, name)));
    try {
      await keepTree(plan);
    } finally {
      endRotation();
      await Promise.all(
        [plan.readyFile, plan.rootlesskitDir, plan.controlSocket, plan.dockerSocket ?? []]
          .flat()
          .map((path) => rm(path, { recursive: true, force: true })),
      );
      if (stopping.signal.aborted) report({ ...stopStep, state: 'done' });
    }
  }

  /** Builds the tree again whenever it is lost, until the cluster is to stop. */
  async function keepTree(plan: NamespacePlan): Promise<void> {
    let history = noRestarts;
    while (!stopping.signal.aborted) {
      prepared = apiSeen = restartAsked = false;
      state.treeStarted();
      report({ kind: 'step', id: 'namespaces', title: 'namespaces', state: 'started' });
      treeEnd = new AbortController();
      const end = await runTree(plan).catch(messageOf);
      tree = exposer = undefined;
      treeEnd.abort();
      const wasReady = state.isUp;
      const lost = state.wasReady && !restartAsked && !stopping.signal.aborted;
      state.treeEnded(end, lost);
      if (stopping.signal.aborted) return;
      if (!state.wasReady) {
        return fail(`the node was lost before the cluster was up: ${end}`, 'node-lost', [
          readLog('rootlesskit'),
        ]);
      }
      if (!lost) continue;
      report({ kind: 'warning', text: `the node was lost (${end}); starting everything again` });
      const next = nextRestart(history, { wasReady, now: performance.now() }, rebuildBackoff, Math.random);
      history = next.history;
      await pause(next.delayMs, stopping.signal);
    }
  }

  /** Returns why it ended. */
  async function runTree(plan: NamespacePlan): Promise<string> {
    // Whoever empties the runtime directory, as a logout may, takes away the way to us.
    if (!existsSync(plan.controlSocket)) {
      await server?.close();
      server = await serveLauncher(plan, steering, stopping.signal);
    }
    tree = await startNodeTree(plan, hear);
    if (stopping.signal.aborted) stopTree();
    return tree.ended;
  }

  function hear(message: SupervisorReport): void {
    switch (message.type) {
      case 'prepared':
        prepared = true;
        report({ kind: 'step', id: 'namespaces', title: 'namespaces', state: 'done' });
        startServices();
        void publishPorts();
        break;
      case 'service':
        noteService(message.status);
        break;
      case 'error':
        fail(message.message, message.code, message.fixes);
        // Namespaces that could not be prepared serve nobody.
        if (!prepared) tree?.kill();
        break;
      case 'stopped':
    }
  }

  function startServices(): void {
    if (prepared && cluster !== undefined) tree?.send({ type: 'start', services: cluster.services });
  }

  async function publishPorts(): Promise<void> {
    const warn = (text: string): void => report({ kind: 'warning', text });
    await ports?.publish(warn, stopping.signal).catch((error: unknown) => {
      if (!stopping.signal.aborted) fail(messageOf(error), codeOf(error), fixesOf(error));
    });
  }

  function exposePorts(): void {
    const expose = cluster?.kubernetes?.expose;
    if (expose === undefined || namespaces === undefined) return;
    const warn = (text: string): void => report({ kind: 'warning', text });
    const signal = AbortSignal.any([stopping.signal, treeEnd.signal]);
    exposer = startExposer(expose, namespaces.ports.apiSocket, warn, signal);
  }

  function approveNodes({ approver }: KubernetesPlan, signal: AbortSignal): void {
    if (approver === undefined) return;
    const warn = (text: string): void => report({ kind: 'warning', text });
    startApprover(approver, warn, signal);
  }

  function noteService(status: ServiceStatus): void {
    const event = state.heard(status) ? serviceStep(status) : undefined;
    if (stopping.signal.aborted) return tellStop();
    if (event !== undefined) report(event);
    if (!state.wasReady && isHopeless(status)) void failBecauseOf(status.name);
    if (cluster === undefined) return;
    const { kubernetes, services } = cluster;
    if (kubernetes === undefined) {
      if (!state.isUp && allUp(services, state.services)) usable();
    } else if (status.name === firstService[kubernetes.role] && status.phase === 'ready' && !apiSeen) {
      apiSeen = true;
      exposePorts();
      void makeUsable(kubernetes, AbortSignal.any([stopping.signal, treeEnd.signal]));
    }
  }

  function usable(): void {
    state.broughtUp();
    tell({ type: 'ready' });
  }

  async function makeUsable(plan: KubernetesPlan, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await bringUp(plan, state.treeSince, report, signal);
        approveNodes(plan, signal);
        return usable();
      } catch (error) {
        if (signal.aborted) return;
        fail(messageOf(error), codeOf(error), fixesOf(error));
        await pause(bringUpRetryMs, signal);
      }
    }
  }

  async function failBecauseOf(service: string): Promise<void> {
    const name = culprit(service, cluster?.services ?? [], state.services);
    const log = logPath(namespaces?.logs ?? '', name);
    const reasons = [state.services.get(name)?.lastExit, await lastWords(log)];
    const reason = reasons.filter((each) => each !== undefined).join(': ') || 'no reason known';
    fail(`${name} does not start: ${reason}`, 'service-failed', [remedy(reason, log)]);
  }

  /** Before the cluster was ever ready a fault ends it; afterwards it is only told, since the supervisor goes on trying. */
  function fail(message: string, code?: string, fixes: readonly Fix[] = []): void {
    if (state.wasReady) return report({ kind: 'warning', text: message });
    if (stopping.signal.aborted) return;
    tell({ type: 'failed', message, code: code ?? 'start-failed', fixes });
    if (!retain) stop();
  }

  function stop(): void {
    if (stopping.signal.aborted) return;
    stopping.abort(new Error('the cluster is stopping'));
    state.stopping();
    report({ ...stopStep, state: 'started' });
    if (namespaces === undefined) return finish();
    stopTree();
  }

  function stopTree(): void {
    if (tree === undefined) return;
    const stubborn = tree;
    stubborn.send({ type: 'stop' });
    const timer = setTimeout(() => stubborn.kill(), stopLimitMs);
    void stubborn.ended.then(() => clearTimeout(timer));
  }

  function tellStop(): void {
    report({
      ...stopStep,
      state: 'progress',
      detail: `waiting for ${stillRunning(state.services.values())}`,
    });
  }

  const ownedPorts = async (): Promise<OwnedPort[]> => [
    ...((await ports?.ports()) ?? []),
    ...(exposer?.ports() ?? []),
  ];

  function status(): InstanceStatus {
    const kubernetes = cluster?.kubernetes;
    return {
      ...state.summary(),
      cluster: namespaces?.cluster ?? '',
      launcherPid: process.pid,
      preset: namespaces?.preset ?? '',
      ...(kubernetes === undefined
        ? {}
        : { role: kubernetes.role, nodeName: kubernetes.nodeName, apiServer: kubernetes.api.server }),
      ...(namespaces?.dockerSocket === undefined ? {} : { dockerSocket: namespaces.dockerSocket }),
      cgroups: namespaces?.cgroups ?? 'none',
    };
  }

  const readLog = (service: string): string =>
    `read the log: ${join(namespaces?.logs ?? '', `${service}.log`)}`;

  const steering: Steering = {
    state,
    status,
    stop,
    restartTree: () => {
      restartAsked = true;
      stopTree();
    },
    restartService: (name) => tree?.send({ type: 'restart', name }),
    keepPort: async (spec) => ports?.keep(spec),
    forgetPort: async (spec) => ports?.forget(spec),
    ownedPorts,
    takeBackPorts: async () => ports?.takeBack(await ownedPorts(), stopping.signal),
  };

  return {
    receive,
    stop,
    finished,
    frontGone: () => {
      if (detached) return;
      // Gone while it waited for the stop: a second Ctrl-C, which is not to wait any longer.
      if (stopping.signal.aborted) tree?.kill();
      else stop();
    },
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
