import { request, type IncomingMessage } from 'node:http';
import { U7sError, errnoOf, messageOf } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import type { PortSpec, PortStatus } from './port-spec.js';

/** What RootlessKit reports of itself; keys and order are those of its REST API 1.1. */
export type RootlessKitInfo = {
  apiVersion: string;
  version: string;
  stateDir: string;
  childPID: number;
  networkDriver?: { driver: string; dns?: string[]; childIP?: string };
  portDriver?: { driver: string; protos: string[] };
};

export type PortClient = {
  list(signal: AbortSignal): Promise<PortStatus[]>;
  /** Rejects with a `RootlessKitError` when RootlessKit refuses the port. */
  add(spec: PortSpec, signal: AbortSignal): Promise<PortStatus>;
  remove(id: number, signal: AbortSignal): Promise<void>;
  info(signal: AbortSignal): Promise<RootlessKitInfo>;
};

export type RefusalReason =
  /** RootlessKit itself has published this very port. */
  | 'conflict'
  /** Some listener on the host has it. */
  | 'in-use'
  /** Below net.ipv4.ip_unprivileged_port_start. */
  | 'privileged'
  /** The host has no such address. */
  | 'no-address'
  | 'other';

/** RootlessKit answered, and refused. `said` is its own message, word for word. */
export class RootlessKitError extends U7sError {
  override readonly name = 'RootlessKitError';
  readonly said: string;
  readonly reason: RefusalReason;

  constructor(said: string, status: number) {
    super('rootlesskit-refused', said === '' ? `RootlessKit answered with HTTP status ${status}` : said);
    this.said = said;
    this.reason = reasonOf(said);
  }
}

/**
 * Speaks RootlessKit's REST API on its unix socket. On node:http alone, since the launcher and the supervisor, which
 * stay small, use it as well.
 */
export function createPortClient(socketPath: string): PortClient {
  const call = async (
    method: string,
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<unknown> => {
    const { status, text } = await exchange(socketPath, method, path, body, signal).catch(
      (error: unknown) => {
        signal.throwIfAborted();
        throw unreachable(socketPath, error);
      },
    );
    if (status < 200 || status > 299) throw new RootlessKitError(refusal(text), status);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    list: async (signal) => {
      // Go writes an empty list as null.
      const ports = ((await call('GET', '/v1/ports', signal)) ?? []) as WireStatus[];
      return ports.map(fromWire).sort((a, b) => a.id - b.id);
    },
    add: async (spec, signal) => fromWire((await call('POST', '/v1/ports', signal, spec)) as WireStatus),
    remove: async (id, signal) => void (await call('DELETE', `/v1/ports/${id}`, signal)),
    info: async (signal) => (await call('GET', '/v1/info', signal)) as RootlessKitInfo,
  };
}

/** On the wire what is empty is left out. */
type WireStatus = { id: number; spec: Omit<PortSpec, 'parentIP'> & { parentIP?: string } };

function fromWire({ id, spec }: WireStatus): PortStatus {
  return { id, spec: { ...spec, parentIP: spec.parentIP ?? '' } };
}

async function exchange(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    // No agent: at the next call it may be another RootlessKit.
    request({ socketPath, method, path, headers, agent: false, signal }, resolve)
      .once('error', reject)
      .end(body === undefined ? undefined : JSON.stringify(body));
  });
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}

/** The message in RootlessKit's `{"message": …}`, or whatever else it said. */
function refusal(answer: string): string {
  try {
    return (JSON.parse(answer) as { message: string }).message;
  } catch {
    return answer.trim();
  }
}

function reasonOf(said: string): RefusalReason {
  if (/\bconflict with ID \d+/.test(said)) return 'conflict';
  if (said.includes('address already in use')) return 'in-use';
  if (said.includes('privileged port') || said.includes('permission denied')) return 'privileged';
  if (said.includes('cannot assign requested address')) return 'no-address';
  return 'other';
}

function unreachable(socketPath: string, error: unknown): U7sError {
  const stopped = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(errnoOf(error) ?? '');
  return new U7sError(
    'rootlesskit-unreachable',
    `RootlessKit does not answer on ${socketPath}: ${errnoOf(error) ?? messageOf(error)}`,
    {
      cause: error,
      ...(stopped ? { fixes: [u7s(['up'], { text: 'start the cluster' })] } : {}),
    },
  );
}
