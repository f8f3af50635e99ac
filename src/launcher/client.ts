import { U7sError } from '../lib/errors.js';
import { descendantsOf, untilGone } from '../lib/processes.js';
import type { OwnedPort, PortSpec } from '../rootless/port-spec.js';
import { NoAnswerError, NotServedError, request, serverOf, subscribe } from '../supervisor/control-socket.js';
import type { ClusterStatus, ControlRequest } from './protocol.js';

/** A launcher that is alive answers at once: it only reads its own memory. */
const answerTimeoutMs = 5_000;

/** What the cluster's launcher says of it; undefined when none runs. */
export async function clusterStatus(
  controlSocket: string,
  signal: AbortSignal,
): Promise<ClusterStatus | undefined> {
  return ask<ClusterStatus>(controlSocket, { type: 'status' }, signal);
}

/**
 * Stops the cluster and waits until nothing of it runs; false when none ran. `onStatus` is told how it comes along. A
 * launcher that hangs is killed, and all of the cluster with it.
 */
export async function stopCluster(
  controlSocket: string,
  signal: AbortSignal,
  onStatus: (status: ClusterStatus) => void = () => undefined,
): Promise<boolean> {
  const stopped = async (): Promise<true> => {
    await request<ControlRequest, ClusterStatus>(
      controlSocket,
      { type: 'status' },
      {
        signal,
        timeoutMs: answerTimeoutMs,
      },
    );
    const statuses = subscribe<ControlRequest, ClusterStatus>(controlSocket, { type: 'stop' }, signal);
    // The launcher hangs up when it is done.
    for await (const status of statuses) onStatus(status);
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

async function killLauncher(controlSocket: string): Promise<void> {
  const launcher = await serverOf(controlSocket);
  if (launcher === undefined) return;
  const all = [launcher, ...descendantsOf(launcher.pid)];
  process.kill(launcher.pid, 'SIGKILL');
  await untilGone(all);
}

/** Restarts one service, or the whole node without a name, and waits until it is ready. Throws when none runs. */
export async function restartCluster(
  controlSocket: string,
  name: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const message: ControlRequest = { type: 'restart', ...(name === undefined ? {} : { name }) };
  try {
    for await (const _ of subscribe<ControlRequest, ClusterStatus>(controlSocket, message, signal)) return;
    signal.throwIfAborted();
    throw new U7sError('todo', 'the cluster ended while it was to be restarted', {
      fixes: ['u7s status; u7s logs'],
    });
  } catch (error) {
    if (!(error instanceof NotServedError)) throw error;
    throw new U7sError('todo', 'the cluster is not running', { fixes: ['u7s up'], cause: error });
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
  return ask<OwnedPort[]>(controlSocket, message, signal);
}

/** Undefined when no launcher runs. */
async function ask<Answer>(
  controlSocket: string,
  message: ControlRequest,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  try {
    return await request<ControlRequest, Answer>(controlSocket, message, {
      signal,
      timeoutMs: answerTimeoutMs,
    });
  } catch (error) {
    if (error instanceof NotServedError) return undefined;
    if (!(error instanceof NoAnswerError)) throw error;
    const { pid } = (await serverOf(controlSocket)) ?? {};
    const who = `the cluster's launcher${pid === undefined ? '' : ` (pid ${pid})`}`;
    throw new U7sError('todo', `${who} hangs: it has not answered within ${answerTimeoutMs / 1000} s`, {
      fixes: ['end it and all that it runs: u7s down'],
      cause: error,
    });
  }
}
