import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import tls from 'node:tls';
import ipaddr from 'ipaddr.js';
import { cidrContains } from '../lib/cidr.js';
import { U7sError } from '../lib/errors.js';

type Env = Record<string, string | undefined>;

/** For node-fetch's `agent` option: goes through the proxy that the environment names for this URL, or directly. */
export function agentFor(env: Env): (url: URL) => http.Agent {
  const agents = new Map<string, http.Agent>();
  return (url) => {
    const proxy = proxyFor(url, env);
    const key = `${url.protocol} ${proxy?.href ?? ''}`;
    let agent = agents.get(key);
    if (!agent) {
      const secure = url.protocol === 'https:';
      if (proxy) agent = secure ? new HttpsTunnelAgent(proxy) : new HttpTunnelAgent(proxy);
      else agent = secure ? new https.Agent() : new http.Agent();
      agents.set(key, agent);
    }
    return agent;
  };
}

/** Reads HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY as curl and Go do; a lower-case name wins. */
export function proxyFor(url: URL, env: Env): URL | undefined {
  const read = (name: string): string => env[name.toLowerCase()] ?? env[name] ?? '';
  const value = read(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') || read('ALL_PROXY');
  if (
    value === '' ||
    read('NO_PROXY')
      .split(',')
      .some((entry) => excludes(entry.trim(), url))
  )
    return undefined;
  const text = value.includes('://') ? value : `http://${value}`;
  if (!/^https?:/.test(text) || !URL.canParse(text)) {
    throw new U7sError('proxy-invalid', 'the proxy variable is not an http:// or https:// URL', {
      fixes: ['set HTTPS_PROXY to a URL, for example http://proxy.example:3128'],
    });
  }
  return new URL(text);
}

function excludes(entry: string, url: URL): boolean {
  if (entry === '') return false;
  if (entry === '*') return true;
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (entry.includes('/')) return ipaddr.IPv4.isValidCIDR(entry) && cidrContains(entry, host);
  const [, name = '', port] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
  if (port !== undefined && port !== (url.port || (url.protocol === 'https:' ? '443' : '80'))) return false;
  const domain = name.replace(/^\*?\./, '');
  return host === domain || host.endsWith(`.${domain}`);
}

type Connected = (error: Error | null, socket: Duplex) => void;
type ConnectOptions = { host?: string | null; port?: number | string | null };

/** Asks the proxy for a byte stream to the target. Also for http://, so that there is one way to use a proxy. */
function tunnel(proxy: URL, options: ConnectOptions, connected: Connected): void {
  const target = `${options.host ?? 'localhost'}:${options.port ?? 80}`;
  const fail = (cause: unknown, reason: string): void => {
    const error = new U7sError('proxy-failed', `proxy ${proxy.host}: ${reason}`, { cause });
    connected(error, undefined as unknown as Duplex);
  };
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  const request = (proxy.protocol === 'https:' ? https : http).request({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80),
    method: 'CONNECT',
    path: target,
    agent: false,
    timeout: 10_000,
    headers: {
      host: target,
      ...(user === ':' ? {} : { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` }),
    },
  });
  request.once('connect', (response, socket) => {
    if (response.statusCode === 200) return connected(null, socket);
    socket.destroy();
    fail(undefined, `CONNECT ${target} was answered with ${response.statusCode}`);
  });
  request.once('timeout', () => request.destroy(new Error('no answer within 10 s')));
  request.once('error', (error) => fail(error, error.message));
  request.end();
}

class HttpTunnelAgent extends http.Agent {
  constructor(private readonly proxy: URL) {
    super();
  }

  override createConnection(options: ConnectOptions, connected: Connected): null {
    tunnel(this.proxy, options, connected);
    return null;
  }
}

class HttpsTunnelAgent extends https.Agent {
  constructor(private readonly proxy: URL) {
    super();
  }

  override createConnection(options: ConnectOptions & tls.ConnectionOptions, connected: Connected): null {
    tunnel(this.proxy, options, (error, socket) => {
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
