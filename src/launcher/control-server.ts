import { ensureDir } from '../lib/atomic-file.js';
import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { withLock } from '../lib/lock-file.js';
import type { NamespacePlan } from '../plan/types.js';
import { serveControl, type ControlServer, type Handler } from '../supervisor/control-socket.js';
import { isControlRequest, isTakeBack, type ControlRequest } from './control-protocol.js';
import type { NodePorts } from './ports.js';
import type { InstanceState } from './state.js';
import type { InstanceStatus } from './status.js';

/** What can be asked of a launcher. */
export type Steering = {
  state: InstanceState;
  status(): InstanceStatus;
  stop(): void;
  /** Ends the present life of the node; the next begins at once. */
  restartNode(): void;
  restartService(name: string): void;
  /** Undefined while no node lives. */
  ports(): NodePorts | undefined;
};

/** Answers on the control socket. To serve it also makes this launcher the only one of its instance. */
export async function serveLauncher(
  plan: Pick<NamespacePlan, 'runtimeDir' | 'lock' | 'controlSocket' | 'engine'>,
  launcher: Steering,
  signal: AbortSignal,
): Promise<ControlServer> {
  await ensureDir(plan.runtimeDir);
  return withLock(
    plan.lock,
    signal,
    () => undefined,
    async () => {
      const handle: Handler<ControlRequest, unknown> = (request, send, gone) =>
        answer(launcher, request, send, gone);
      const control = await serveControl(plan.controlSocket, isControlRequest, handle);
      if (plan.engine === undefined) return control;
      // The node sees this one, so nothing else can be asked on it.
      const takeBack = await serveControl(plan.engine.takeBack, isTakeBack, handle);
      return { close: () => Promise.all([control.close(), takeBack.close()]).then(() => undefined) };
    },
  );
}

async function answer(
  launcher: Steering,
  request: ControlRequest,
  send: (answer: unknown) => void,
  gone: AbortSignal,
): Promise<void> {
  const ports = (): NodePorts => {
    const present = launcher.ports();
    if (present === undefined) throw notUp();
    return present;
  };
  switch (request.type) {
    case 'status':
      return send(launcher.status());
    case 'stop':
      launcher.stop();
      send(launcher.status());
      launcher.state.subscribe(() => send(launcher.status()));
      // Our end hangs up, which tells the client that nothing runs any more.
      return new Promise(() => undefined);
    case 'restart':
      await (request.name === undefined
        ? restartNode(launcher, gone)
        : restartService(launcher, request.name, gone));
      return send(launcher.status());
    case 'list-ports':
      return send(await ports().list(gone));
    case 'add-port':
      return send(await ports().add(request.spec, gone));
    case 'remove-port':
      await ports().remove(request.id, gone);
      return send(request.id);
    case 'forget-port':
      await ports().forget(request.spec);
      return send(request.spec);
    case 'take-back-ports':
      await ports().takeBack(gone);
      return send(await ports().list(gone));
  }
}

async function restartNode(launcher: Steering, gone: AbortSignal): Promise<void> {
  const { state } = launcher;
  if (!state.isUp) throw notUp();
  const before = state.lives;
  launcher.restartNode();
  await state.until(() => state.isUp && state.lives !== before, gone);
}

async function restartService(launcher: Steering, name: string, gone: AbortSignal): Promise<void> {
  const { state } = launcher;
  const before = state.services.get(name);
  if (before === undefined) {
    throw new U7sError('no-such-service', `there is no service ${JSON.stringify(name)}`, {
      fixes: [`name one of: ${[...state.services.keys()].join(', ')}`],
    });
  }
  launcher.restartService(name);
  await state.until(() => {
    const { restarts = 0, phase } = state.services.get(name) ?? {};
    return restarts > before.restarts && ['ready', 'completed', 'failed'].includes(phase ?? '');
  }, gone);
}

function notUp(): U7sError {
  return new U7sError('not-up', 'the cluster is not up yet', {
    fixes: [u7s(['status'], { text: 'see what it waits for' })],
  });
}
