import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { createAuthority, issueCertificate } from '#src/pki/ca.js';
import { temporary } from '../temporary.js';

export type Visit = { host: string; method: string; path: string; headers: IncomingMessage['headers'] };
export type Site = (request: IncomingMessage, response: ServerResponse) => void;

/** `env` leads to it and trusts it; `distrusting` leads to it only. */
export type Internet = {
  env: Record<string, string>;
  distrusting: Record<string, string>;
  visits: Visit[];
  /** Method, host and path of each request. */
  seen: () => string[];
};

/**
 * An internet on loopback, with the real names of its hosts, behind a proxy that inspects TLS: what the proxy is asked to
 * connect to is answered by the site of that name, with a certificate of the proxy's own authority.
 */
export async function createInternet(t: ExecutionContext, sites: Record<string, Site>): Promise<Internet> {
  const visits: Visit[] = [];
  const authority = await createAuthority('a proxy that inspects TLS', new Date());
  const { certPem, keyPem } = await issueCertificate(
    {
      name: 'sites',
      authority: 'ca',
      commonName: 'sites',
      usage: 'server',
      hosts: Object.keys(sites),
      chain: true,
    },
    authority.issuer,
    new Date(),
  );
  const upstream = createHttpsServer({ cert: certPem, key: keyPem }, (request, response) => {
    const host = request.headers.host ?? '';
    visits.push({ host, method: request.method ?? '', path: request.url ?? '', headers: request.headers });
    const site = sites[host];
    if (site) site(request, response);
    else response.writeHead(404).end();
  });
  const upstreamPort = await listen(t, upstream);
  const proxy = createHttpServer();
  proxy.on('connect', (request, client: Socket) => {
    const [host = ''] = (request.url ?? '').split(':');
    if (!(host in sites)) return void client.end('HTTP/1.1 502 no such host\r\n\r\n');
    client.write('HTTP/1.1 200 connected\r\n\r\n');
    const target = connect(upstreamPort, '127.0.0.1');
    target.on('error', () => client.destroy());
    client.on('error', () => target.destroy());
    client.on('close', () => target.destroy());
    target.on('close', () => client.destroy());
    target.pipe(client).pipe(target);
  });
  const distrusting = { HTTPS_PROXY: `http://127.0.0.1:${await listen(t, proxy)}` };
  const bundle = join(await temporary(t), 'ca.pem');
  await writeFile(bundle, authority.certPem);
  return {
    env: { ...distrusting, SSL_CERT_FILE: bundle },
    distrusting,
    visits,
    seen: () => visits.map(({ method, host, path }) => `${method} ${host}${path}`),
  };
}

async function listen(t: ExecutionContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A site that answers the n-th GET with the n-th of these, the last one again and again; HEAD is just fine. */
export function inTurn(...answers: Site[]): Site {
  let turn = 0;
  return (request, response) => {
    if (request.method === 'HEAD') return void response.end();
    answers[Math.min(turn++, answers.length - 1)]?.(request, response);
  };
}

export const redirectTo =
  (location: string): Site =>
  (_request, response) =>
    void response.writeHead(302, { location }).end();
