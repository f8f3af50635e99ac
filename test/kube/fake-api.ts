import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { KubeClient } from '#src/kube/client.js';
import { connect, type ApiAccess } from '#src/kube/connect.js';
import { certificateTable } from '#src/pki/certificates.js';
import { ensurePki } from '#src/pki/rotate.js';

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const pki = await mkdtemp(join(tmpdir(), 'u7s-fake-api-'));
const names = { nodeName: 'node1', nodeAddress: '10.0.2.100', serviceAddress: '10.0.0.1' };
await ensurePki(pki, certificateTable({ ...names, dnsDomain: 'cluster.local', apiAddress: '127.0.0.1' }));
const pem = (file: string): Promise<string> => readFile(join(pki, file), 'utf8');

/** To be called after the last test. */
export const removePki = (): Promise<void> => rm(pki, { recursive: true });

/** A server with the cluster's certificates that wants the client's and answers as told; how to reach it as `admin`. */
export async function serveApi(t: ExecutionContext, answer: Answer): Promise<ApiAccess> {
  const [ca, cert, key] = [
    await pem('ca.crt'),
    await pem('kube-apiserver.crt'),
    await pem('kube-apiserver.key'),
  ];
  const server = createServer({ ca, cert, key, requestCert: true }, (request, response) => {
    void request
      .setEncoding('utf8')
      .toArray()
      .then((parts) => answer(request, response, parts.join('')));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const file = (name: string): string => join(pki, name);
  return {
    server: `https://127.0.0.1:${port}`,
    caFile: file('ca.crt'),
    certFile: file('admin.crt'),
    keyFile: file('admin.key'),
  };
}

/** A client of such a server. */
export async function clientOf(t: ExecutionContext, answer: Answer): Promise<KubeClient> {
  const client = await connect(await serveApi(t, answer));
  t.teardown(() => client.close());
  return client;
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** One event of a watch. */
export const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
