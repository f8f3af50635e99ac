import { createServer } from 'node:http';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { temporary } from '../temporary.js';

type Answer = { status: number; body: string };

/** A server on RootlessKit's socket that answers as it is told; says where, and what it was asked. */
export async function fakeRootlessKit(
  t: ExecutionContext,
  answer: (request: { method: string; path: string; body: string }) => Answer | Promise<Answer>,
): Promise<{ socket: string; asked: string[] }> {
  const socket = join(await temporary(t), 'api.sock');
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const { method = '', url: path = '' } = request;
      asked.push(`${method} ${path}${body === '' ? '' : ` ${body}`}`);
      void (async () => {
        const reply = await answer({ method, path, body });
        response.writeHead(reply.status).end(reply.body);
      })();
    });
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { socket, asked };
}

export const refuse = (message: string): Answer => ({ status: 400, body: JSON.stringify({ message }) });

/** Publishes every port but those that `fault` names a fault of. */
export function publishing(fault: (spec: string) => string | undefined = () => undefined) {
  const ports: { id: number; spec: unknown }[] = [];
  return ({ method, body }: { method: string; body: string }): Answer => {
    if (method === 'GET') return { status: 200, body: JSON.stringify(ports.length === 0 ? null : ports) };
    const message = fault(body);
    if (message !== undefined) return refuse(message);
    const port = { id: ports.length + 1, spec: JSON.parse(body) as unknown };
    ports.push(port);
    return { status: 201, body: JSON.stringify(port) };
  };
}
