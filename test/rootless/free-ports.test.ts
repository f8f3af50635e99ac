import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import test from 'ava';
import { firstFree, requireFree } from '#src/rootless/free-ports.js';

const address = '127.0.0.1';

test('a port that is taken is passed over, and told with its holder', async (t) => {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  t.teardown(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const notes: string[] = [];
  const found = await firstFree({ proto: 'tcp', address, port }, (text) => notes.push(text));
  t.true(found > port);
  t.is(notes.length, 1);
  t.true(
    notes[0]?.startsWith(
      `127.0.0.1:${port}/tcp is taken by node (pid ${process.pid}): taking ${found} instead`,
    ),
  );
});

test('UDP is another matter than TCP', async (t) => {
  const socket = createSocket('udp4').bind(0, address);
  await once(socket, 'listening');
  t.teardown(() => void socket.close());
  const { port } = socket.address();
  await t.throwsAsync(requireFree({ proto: 'udp', address, port }, 'end that'), {
    message: new RegExp(`^127\\.0\\.0\\.1:${port}/udp is taken by node \\(pid ${process.pid}\\)$`),
  });
  await t.notThrowsAsync(requireFree({ proto: 'tcp', address, port }, 'end that'));
});

test('an address of another host is refused', async (t) => {
  await t.throwsAsync(requireFree({ proto: 'tcp', address: '192.0.2.10', port: 10250 }, 'end that'), {
    message: 'this host has no address 192.0.2.10',
  });
});
