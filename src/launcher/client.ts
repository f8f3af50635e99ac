import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { descendantsOf, untilGone } from '../lib/processes.js';
import type { Shape } from '../lib/shape.js';
import type { OwnedPort, PortSpec } from '../rootless/port-spec.js';
import { NoAnswerError, NotServedError, request, serverOf, subscribe } from '../supervisor/control-socket.js';
import { isOwnedPorts, type ControlRequest } from './control-protocol.js';
import { isInstanceStatus, type InstanceStatus } from './status.js';

/** A launcher that is alive answers at once: it only reads its own memory. */
const answerTimeoutMs = 5_000;

/** What the launcher reports of its instance; undefined when none runs. */
export async function instanceStatus(
  controlSocket: string,
  signal: AbortSignal,
): Promise<InstanceStatus | undefined> {
  return ask(controlSocket, { type: 'status' }, isInstanceStatus, signal);
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
    signal.throwIfAborted();
    throw new U7sError('ended', 'the cluster ended while it was being restarted', {
      fixes: [u7s(['logs'], { text: 'find out why' })],
    });
  } catch (error) {
    if (!(error instanceof NotServedError)) throw error;
    throw new U7sError('not-running', 'the cluster is not running', {
      fixes: [u7s(['up'], { text: 'start it' })],
      cause: error,
    });
  }
}

/** Who asked for which port of the cluster; undefined when none runs. */
export async function ownedPorts(
  controlSocket: string,
  signal: AbortSignal,
): Promise<OwnedPort[] | undefined> {
  return askPorts(controlSocket, { type: 'ports' }, signal);
}

/** Has a port published by hand published again at every start. Does nothing where no cluster of ours runs. */
export async function keepPort(controlSocket: string, spec: PortSpec, signal: AbortSignal): Promise<void> {
  await askPorts(controlSocket, { type: 'keep-port', spec }, signal);
}

/** The opposite of `keepPort`. */
export async function forgetPort(controlSocket: string, spec: PortSpec, signal: AbortSignal): Promise<void> {
  await askPorts(controlSocket, { type: 'forget-port', spec }, signal);
}

/** Ends every port that is published and that nobody asked the launcher for: those that a dockerd which died has left. */
export async function takeBackPorts(controlSocket: string, signal: AbortSignal): Promise<void> {
  await askPorts(controlSocket, { type: 'take-back-ports' }, signal);
}

function askPorts(
  controlSocket: string,
  message: ControlRequest,
  signal: AbortSignal,
): Promise<OwnedPort[] | undefined> {
  return ask(controlSocket, message, isOwnedPorts, signal);
}

/** Undefined when no launcher runs. */
async function ask<Answer>(
  controlSocket: string,
  message: ControlRequest,
  isAnswer: Shape<Answer>,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  try {
    return await request<ControlRequest, Answer>(controlSocket, message, {
      isAnswer,
      signal,
      timeoutMs: answerTimeoutMs,
    });
  } catch (error) {
    if (error instanceof NotServedError) return undefined;
    if (!(error instanceof NoAnswerError)) throw error;
    const { pid } = (await serverOf(controlSocket)) ?? {};
    const who = `the cluster's launcher${pid === undefined ? '' : ` (pid ${pid})`}`;
    throw new U7sError(
      'launcher-hangs',
      `${who} hangs: it has not answered within ${answerTimeoutMs / 1000} s`,
      {
        fixes: [u7s(['down'], { text: 'end it and all that it runs' })],
        cause: error,
      },
    );
  }
}
