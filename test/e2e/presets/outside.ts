import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';

/** On the host's loopback: a proxy that notes what it is asked to connect to, and a server that greets. */
export type Outside = { proxyPort: number; greeterPort: number; asked: string[] };

let present: Promise<Outside> | undefined;

/** One for all presets, until the process of the tests ends. */
export function outside(): Promise<Outside> {
  return (present ??= open());
}

async function open(): Promise<Outside> {
  const asked: string[] = [];
  const proxy = createHttpServer((_, response) => response.writeHead(502).end());
  proxy.on('connect', ({ url }, socket) => {
    asked.push(url ?? '');
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  const greeter = createServer((socket) => socket.on('error', () => undefined).end('greetings\n'));
  const [proxyPort, greeterPort] = await Promise.all([listen(proxy), listen(greeter)]);
  return { proxyPort, greeterPort, asked };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
