import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { openInNode, openOnHost, type Door } from '#src/rootless/doors.js';
import { temporary } from '../temporary.js';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const textOf = async (socket: Socket): Promise<string> =>
  (await socket.setEncoding('utf8').toArray()).join('');

test('a port of the host is reached through its door, both ways, until the doors are closed', async (t) => {
  const answering = createServer({ allowHalfOpen: true }, (socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.once('end', () => socket.end(`heard ${text}`));
  }).listen(0, '127.0.0.1');
  await once(answering, 'listening');
  t.teardown(() => answering.close());
  const { port } = answering.address() as AddressInfo;
  const door: Door = {
    port,
    host: '127.0.0.1',
    listen: [],
    socket: join(await temporary(t), 'doors', 'door.sock'),
  };
  const closeHost = await openOnHost([door]);
  const inNode = await freePort();
  // The node is another network; here another port stands in for it.
  const closeNode = await openInNode([{ ...door, port: inNode, listen: ['127.0.0.1'] }]);
  const client = connect({ host: '127.0.0.1', port: inNode, allowHalfOpen: true });
  client.end('this');
  t.is(await textOf(client), 'heard this');
  await closeNode();
  await closeHost();
  await t.throwsAsync(once(connect(inNode, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  await t.throwsAsync(stat(door.socket), { code: 'ENOENT' });
});

test('a port that the node has given to another program is refused', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.teardown(() => other.close());
  const { port } = other.address() as AddressInfo;
  const door = { port, host: '127.0.0.1', listen: ['127.0.0.1'], socket: '/nowhere' };
  await t.throwsAsync(openInNode([door]), { code: 'port-taken' });
});
