import http from 'node:http';
import https from 'node:https';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import tls, { type SecureContext } from 'node:tls';
import { messageOf } from '../../lib/errors.js';
import { NetworkError } from '../errors.js';
import { basicAuthorization, credentialsOf, proxyFor, withoutBrackets } from './proxy-choice.js';
import { openSocks, SocksError } from './socks.js';
import { trustedContext } from './trust.js';

type Env = Record<string, string | undefined>;

export type AgentFor = (url: URL) => http.Agent;

/** Node's 250 ms for each address are too few on a slow line: with several addresses none would ever be reached. */
const connecting = { autoSelectFamilyAttemptTimeout: 2_500 };

/** Milliseconds that a proxy has to answer. */
const proxyMs = 15_000;

/** For the `agent` option of a request: goes through the proxy that the environment names for this URL, or directly. */
export function agentFor(env: Env): AgentFor {
  const agents = new Map<string, http.Agent>();
  let trusted: SecureContext | undefined;
  const secure = (): Secure => ({ ...connecting, secureContext: (trusted ??= trustedContext(env)) });
  return (url) => {
    const proxy = proxyFor(url, env);
    const key = `${url.protocol} ${proxy?.href ?? ''}`;
    let agent = agents.get(key);
    if (!agent) {
      const toTls = url.protocol === 'https:';
      if (proxy) agent = toTls ? new HttpsTunnelAgent(proxy, secure) : new HttpTunnelAgent(proxy, secure);
      else agent = toTls ? new https.Agent(secure()) : new http.Agent(connecting);
      agents.set(key, agent);
    }
    return agent;
  };
}

/** Made when the first connection needs it: it takes some 30 ms. */
type Secure = { secureContext: SecureContext; autoSelectFamilyAttemptTimeout: number };
type Connected = (error: Error | null, socket: Duplex) => void;
type ConnectOptions = { host?: string | null; port?: number | string | null };

/** Asks the proxy for a byte stream to the target. Also for http://, so that there is one way to use a proxy. */
function tunnel(proxy: URL, secure: () => Secure, options: ConnectOptions, connected: Connected): void {
  const host = withoutBrackets(options.host ?? 'localhost');
  const port = Number(options.port ?? 80);
  const fail = (cause: unknown, reason: string, transient: boolean): void => {
    const error = new NetworkError('proxy-failed', `proxy ${proxy.host}: ${reason}`, { transient, cause });
    connected(error, undefined as unknown as Duplex);
  };
  if (proxy.protocol.startsWith('socks')) {
    openSocks(proxy, { host, port }, proxyMs).then(
      (socket) => connected(null, socket),
      (error: unknown) => fail(error, messageOf(error), !(error instanceof SocksError) || error.transient),
    );
    return;
  }
  const target = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  const credentials = credentialsOf(proxy);
  const toTls = proxy.protocol === 'https:';
  const request = (toTls ? https : http).request({
    ...(toTls ? secure() : connecting),
    host: withoutBrackets(proxy.hostname),
    port: proxy.port || (toTls ? 443 : 80),
    method: 'CONNECT',
    path: target,
    agent: false,
    timeout: proxyMs,
    headers: {
      host: target,
      ...(credentials ? { 'proxy-authorization': basicAuthorization(credentials) } : {}),
    },
  });
  request.once('connect', (response, socket) => {
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return connected(null, socket);
    socket.destroy();
    const transient = status === 408 || status === 429 || status >= 500;
    fail(undefined, `CONNECT ${target} was answered with ${status}`, transient);
  });
  request.once('timeout', () => request.destroy(new Error(`no answer within ${proxyMs / 1000} s`)));
  request.once('error', (error) => fail(error, error.message || 'no connection', true));
  request.end();
}

class HttpTunnelAgent extends http.Agent {
  constructor(
    private readonly proxy: URL,
    private readonly secure: () => Secure,
  ) {
    super();
  }

  override createConnection(options: ConnectOptions, connected: Connected): null {
    tunnel(this.proxy, this.secure, options, connected);
    return null;
  }
}

class HttpsTunnelAgent extends https.Agent {
  constructor(
    private readonly proxy: URL,
    private readonly secure: () => Secure,
  ) {
    super(secure());
  }

  override createConnection(options: ConnectOptions & tls.ConnectionOptions, connected: Connected): null {
    tunnel(this.proxy, this.secure, options, (error, socket) => {
      if (error) return connected(error, socket);
      connected(
        null,
        tls.connect({
          ...options,
          socket: socket,
          servername: options.servername ?? options.host ?? '',
        } as tls.ConnectionOptions),
      );
    });
    return null;
  }
}
