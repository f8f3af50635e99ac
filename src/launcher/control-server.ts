import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { withLock } from '../lib/lock-file.js';
import type { OwnedPort, PortSpec } from '../rootless/port-spec.js';
import { ensureDir } from '../lib/atomic-file.js';
import { serveControl, type ControlServer } from '../supervisor/control-socket.js';
import type { InstanceState } from './state.js';
import type { NamespacePlan } from '../plan/types.js';
import { isControlRequest, type ControlRequest } from './control-protocol.js';
import type { InstanceStatus } from './status.js';

/** What can be asked of a launcher. */
export type Steering = {
  state: InstanceState;
  status(): InstanceStatus;
  stop(): void;
  /** Ends the present tree, after which the next is started at once. */
  restartTree(): void;
  restartService(name: string): void;
  keepPort(spec: PortSpec): Promise<void>;
  forgetPort(spec: PortSpec): Promise<void>;
  ownedPorts(): Promise<OwnedPort[]>;
  takeBackPorts(): Promise<void>;
};

/** Answers on the control socket, which is also what makes this launcher the only one of its cluster. */
export async function serveLauncher(
  plan: NamespacePlan,
  launcher: Steering,
  signal: AbortSignal,
): Promise<ControlServer> {
  await ensureDir(plan.runtimeDir);
  return withLock(
    plan.lock,
    signal,
    () => undefined,
    () =>
      serveControl<ControlRequest, InstanceStatus | OwnedPort[]>(
        plan.controlSocket,
        isControlRequest,
        (request, send, gone) => answer(launcher, request, send, gone),
      ),
  );
}

async function answer(
  launcher: Steering,
  request: ControlRequest,
  send: (answer: InstanceStatus | OwnedPort[]) => void,
  gone: AbortSignal,
): Promise<void> {
  switch (request.type) {
    case 'status':
      return send(launcher.status());
    case 'stop':
      launcher.stop();
      send(launcher.status());
      launcher.state.onChange(() => send(launcher.status()));
      // Our end hangs up, which tells whoever asked that nothing runs any more.
      return new Promise(() => undefined);
    case 'restart':
      await (request.name === undefined
        ? restartEverything(launcher, gone)
        : restartService(launcher, request.name, gone));
      return send(launcher.status());
    case 'keep-port':
      await launcher.keepPort(request.spec);
      return send(await launcher.ownedPorts());
    case 'forget-port':
      await launcher.forgetPort(request.spec);
      return send(await launcher.ownedPorts());
    case 'take-back-ports':
      await launcher.takeBackPorts();
      return send(await launcher.ownedPorts());
    case 'ports':
      return send(await launcher.ownedPorts());
  }
}

async function restartEverything(launcher: Steering, gone: AbortSignal): Promise<void> {
  const { state } = launcher;
  if (!state.isUp)
    throw new U7sError('not-up', 'the cluster is not up yet', {
      fixes: [u7s(['status'], { text: 'see what it waits for' })],
    });
  const before = state.treeSince;
  launcher.restartTree();
  await state.until(() => state.isUp && state.treeSince !== before, gone);
}

async function restartService(launcher: Steering, name: string, gone: AbortSignal): Promise<void> {
  const { state } = launcher;
  const { services } = state;
  const before = services.get(name);
  if (before === undefined) {
    throw new U7sError('no-such-service', `there is no service ${JSON.stringify(name)}`, {
      fixes: [`name one of: ${[...services.keys()].join(', ')}`],
    });
  }
  launcher.restartService(name);
  await state.until(() => {
    const { restarts = 0, phase } = services.get(name) ?? {};
    return restarts > before.restarts && ['ready', 'completed', 'failed'].includes(phase ?? '');
  }, gone);
}
