import { setMaxListeners } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request, type Agent } from 'node:https';
import { U7sError } from '../lib/errors.js';

export type RequestOptions = {
  /** Sent as JSON, which is YAML too. */
  body?: unknown;
  contentType?: string;
  signal?: AbortSignal | undefined;
  /** Milliseconds until the whole answer must be there; 30 000 by default. */
  timeoutMs?: number;
};

/** Sends a request and returns with the head of the answer, whatever its status. */
export function send(
  agent: Agent,
  method: string,
  url: URL,
  options: RequestOptions & { headers?: Record<string, string> },
): Promise<IncomingMessage> {
  const { body, contentType = 'application/json', signal, timeoutMs = 30_000 } = options;
  // Each running request has a listener: more than ten of them are no leak.
  if (signal !== undefined) setMaxListeners(0, signal);
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...options.headers,
    accept: 'application/json, */*',
    ...(payload === undefined
      ? {}
      : { 'content-type': contentType, 'content-length': Buffer.byteLength(payload) }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, agent, headers, ...(signal === undefined ? {} : { signal }) });
    let incoming: IncomingMessage | undefined;
    const giveUp = (): void => {
      const message = `${method} ${url.pathname} was not answered within ${timeoutMs / 1000} s`;
      (incoming ?? outgoing).destroy(new U7sError('api-unreachable', message));
    };
    const timer = timeoutMs === Infinity ? undefined : setTimeout(giveUp, timeoutMs);
    outgoing.on('close', () => clearTimeout(timer));
    outgoing.on('error', (error) => reject(signal?.aborted ? (signal.reason as Error) : error));
    outgoing.on('response', (response) => {
      incoming = response;
      resolve(response);
    });
    outgoing.end(payload);
  });
}

/** The whole body. */
export async function textOf(response: IncomingMessage, signal: AbortSignal | undefined): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  try {
    for await (const part of response as AsyncIterable<string>) text += part;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
  return text;
}

/** The body line by line as it arrives, wherever the chunks are cut. An incomplete last line is dropped. */
export async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let pending = '';
  for await (const part of response as AsyncIterable<string>) {
    const lines = (pending + part).split('\n');
    pending = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
}
