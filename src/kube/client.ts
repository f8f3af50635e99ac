import type { IncomingMessage } from 'node:http';
import { Agent } from 'node:https';
import { kubeError } from './errors.js';
import { objectPath, type KubeObject } from './object.js';
import { linesOf, send, textOf, type RequestOptions } from './transport.js';

export type ApplyOptions = {
  fieldManager: string;
  /** Unless this is false, fields that another manager has set since are changed, too; else that is a conflict, 409. */
  force?: boolean;
  /** Where the object is in the API; missing for a kind of Kubernetes itself. */
  path?: string;
} & Pick<RequestOptions, 'signal' | 'timeoutMs'>;

export type WatchOptions = {
  resourceVersion?: string;
  /** The server ends the stream after so many seconds; a server that has died silently is noticed then too. */
  timeoutSeconds?: number;
  signal: AbortSignal;
};

export type WatchEvent<T> = { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: T };

/** The API path is that of the server, a query included: `/api/v1/nodes?limit=1`. */
export type KubeClient = {
  /** The parsed answer when it is JSON, otherwise its text. Throws a `KubeError` for a status of 400 and above. */
  request(method: string, path: string, options?: RequestOptions): Promise<unknown>;
  get<T>(path: string, options?: RequestOptions): Promise<T>;
  /** Server-side apply: makes the object, or changes the fields it names. */
  apply<T extends KubeObject>(object: T, options: ApplyOptions): Promise<T>;
  /**
   * Events of a collection until `signal` is aborted or the server ends the stream, as it does now and then. Without
   * `resourceVersion` it begins with an ADDED event for everything that exists.
   */
  watch<T>(path: string, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** Drops idle connections. Not needed for a process to end. */
  close(): void;
};

/** A client of one API server, which keeps its connections. `ca`, `cert` and `key` are PEM. */
export function createKubeClient({
  server,
  token,
  ...identity
}: {
  /** `https://host:port` */
  server: string;
  ca: string;
} & ({ cert: string; key: string; token?: never } | { token: string })): KubeClient {
  const agent = new Agent({ ...identity, keepAlive: true });
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };

  async function request(method: string, path: string, options: RequestOptions = {}): Promise<unknown> {
    const response = await send(agent, method, new URL(path, server), { ...options, headers: authorization });
    const text = await textOf(response, options.signal);
    const status = response.statusCode ?? 0;
    if (status >= 400) throw kubeError(`${method} ${path}`, status, text);
    return response.headers['content-type']?.startsWith('application/json') ? JSON.parse(text) : text;
  }

  async function get<T>(path: string, options?: RequestOptions): Promise<T> {
    return (await request('GET', path, options)) as T;
  }

  async function apply<T extends KubeObject>(object: T, options: ApplyOptions): Promise<T> {
    const { fieldManager, force = true, path = objectPath(object), ...rest } = options;
    const query = new URLSearchParams({ fieldManager, force: String(force) });
    const contentType = 'application/apply-patch+yaml';
    return (await request('PATCH', `${path}?${query.toString()}`, {
      body: object,
      contentType,
      ...rest,
    })) as T;
  }

  async function* watch<T>(path: string, options: WatchOptions): AsyncGenerator<WatchEvent<T>> {
    const { resourceVersion, timeoutSeconds, signal } = options;
    const url = new URL(path, server);
    url.searchParams.set('watch', 'true');
    if (resourceVersion !== undefined) url.searchParams.set('resourceVersion', resourceVersion);
    if (timeoutSeconds !== undefined) url.searchParams.set('timeoutSeconds', String(timeoutSeconds));
    const timeoutMs = timeoutSeconds === undefined ? Infinity : (timeoutSeconds + 10) * 1_000;
    const title = `watch ${url.pathname}`;
    let response: IncomingMessage | undefined;
    try {
      response = await send(agent, 'GET', url, { signal, timeoutMs, headers: authorization });
      const status = response.statusCode ?? 0;
      if (status >= 400) throw kubeError(title, status, await textOf(response, signal));
      for await (const line of linesOf(response)) {
        const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: { code?: number } };
        if (event.type === 'ERROR') {
          throw kubeError(title, event.object.code ?? 500, JSON.stringify(event.object));
        }
        yield event;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      response?.destroy();
    }
  }

  return { request, get, apply, watch, close: () => agent.destroy() };
}
