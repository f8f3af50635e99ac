import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { descendantsOf, untilGone } from '../lib/processes.js';
import { isNumber, type Shape } from '../lib/shape.js';
import type { Port } from '../rootless/port.js';
import type { PortSpec, PortStatus } from '../rootless/port-spec.js';
import { NoAnswerError, NotServedError, request, serverOf, subscribe } from '../supervisor/control-socket.js';
import { isPorts, isPortSpec, isPortStatus, type ControlRequest } from './control-protocol.js';
import { isInstanceStatus, type InstanceStatus } from './status.js';

/** A launcher that is alive answers at once: it only reads its own memory. */
const answerTimeoutMs = 5_000;
/** For ports it asks RootlessKit, after the changes that were asked for before. */
const portsTimeoutMs = 20_000;

/** What the launcher reports of its instance; undefined when none runs. */
export async function instanceStatus(
  controlSocket: string,
  signal: AbortSignal,
): Promise<InstanceStatus | undefined> {
  return unlessStopped(ask(controlSocket, { type: 'status' }, isInstanceStatus, signal));
}

/**
 * Stops the instance and waits until nothing of it runs; false when none ran. `onStatus` hears of the progress. A launcher
 * that hangs is killed, and with it everything that it runs.
 */
export async function stopInstance(
  controlSocket: string,
  signal: AbortSignal,
  onStatus: (status: InstanceStatus) => void = () => undefined,
): Promise<boolean> {
  const stopped = async (): Promise<true> => {
    const asked = { isAnswer: isAny, signal, timeoutMs: answerTimeoutMs };
    await request<ControlRequest, unknown>(controlSocket, { type: 'status' }, asked);
    const statuses = subscribe<ControlRequest, unknown>(controlSocket, { type: 'stop' }, isAny, signal);
    // The launcher hangs up when it is done.
    for await (const status of statuses) if (isInstanceStatus(status)) onStatus(status);
    signal.throwIfAborted();
    return true;
  };
  try {
    return await stopped();
  } catch (error) {
    if (error instanceof NotServedError) return false;
    if (!(error instanceof NoAnswerError)) throw error;
    await killLauncher(controlSocket);
    return true;
  }
}

/** A launcher of any version must be stopped, whether or not its answers are understood. */
const isAny = (value: unknown): value is unknown => value !== undefined;

async function killLauncher(controlSocket: string): Promise<void> {
  const launcher = await serverOf(controlSocket);
  if (launcher === undefined) return;
  const all = [launcher, ...descendantsOf(launcher.pid)];
  const { killTree } = await import('../lib/kill-tree.js');
  await killTree(launcher.pid, 'SIGKILL');
  await untilGone(all);
}

/** Restarts one service, or the whole node without a name, and waits until it is ready. Throws when none runs. */
export async function restartInstance(
  controlSocket: string,
  name: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const message: ControlRequest = { type: 'restart', ...(name === undefined ? {} : { name }) };
  try {
    for await (const _ of subscribe(controlSocket, message, isInstanceStatus, signal)) return;
  } catch (error) {
    throw explained(error);
  }
  signal.throwIfAborted();
  throw new U7sError('ended-early', 'the cluster ended while it was being restarted', {
    fixes: [u7s(['logs'], { text: 'find out why' })],
  });
}

/** The ports of an instance, by way of its launcher. Each call throws `not-running` when none runs. */
export type InstancePorts = {
  list(signal: AbortSignal): Promise<Port[]>;
  /** Now and at every start. */
  add(spec: PortSpec, signal: AbortSignal): Promise<PortStatus>;
  remove(id: number, signal: AbortSignal): Promise<void>;
  /** Of a port by hand that is not published. */
  forget(spec: PortSpec, signal: AbortSignal): Promise<void>;
};

export function instancePorts(controlSocket: string): InstancePorts {
  const demand = <Answer>(
    message: ControlRequest,
    isAnswer: Shape<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> =>
    ask(controlSocket, message, isAnswer, signal, portsTimeoutMs).catch((error: unknown) => {
      throw explained(error);
    });
  return {
    list: (signal) => demand({ type: 'list-ports' }, isPorts, signal),
    add: (spec, signal) => demand({ type: 'add-port', spec }, isPortStatus, signal),
    remove: async (id, signal) => void (await demand({ type: 'remove-port', id }, isNumber, signal)),
    forget: async (spec, signal) => void (await demand({ type: 'forget-port', spec }, isPortSpec, signal)),
  };
}

/** Ends every published port that nobody asked the launcher for: those that a dead dockerd has left. */
export async function takeBackPorts(controlSocket: string, signal: AbortSignal): Promise<void> {
  await unlessStopped(ask(controlSocket, { type: 'take-back-ports' }, isPorts, signal, portsTimeoutMs));
}

/** Throws `NotServedError` when no launcher runs. */
async function ask<Answer>(
  controlSocket: string,
  message: ControlRequest,
  isAnswer: Shape<Answer>,
  signal: AbortSignal,
  timeoutMs = answerTimeoutMs,
): Promise<Answer> {
  try {
    return await request(controlSocket, message, { isAnswer, signal, timeoutMs });
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    const { pid } = (await serverOf(controlSocket)) ?? {};
    const who = `the cluster's launcher${pid === undefined ? '' : ` (pid ${pid})`}`;
    throw new U7sError('launcher-hangs', `${who} hangs: it has not answered within ${timeoutMs / 1000} s`, {
      fixes: [u7s(['down'], { text: 'end it and all that it runs' })],
      cause: error,
    });
  }
}

async function unlessStopped<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof NotServedError) return undefined;
    throw error;
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof NotServedError)) return error;
  return new U7sError('not-running', 'the cluster is not running', {
    fixes: [u7s(['up'], { text: 'start it' })],
    cause: error,
  });
}
