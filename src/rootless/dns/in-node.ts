import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { messageOf, U7sError } from '../../lib/errors.js';
import { dnsPort, headerBytes } from './exchange.js';
import { createFrameReader, frame } from './frames.js';
import { dnsSocket, type DnsPlan } from './on-host.js';

/** In the namespaces: whoever asks at the address, by UDP or TCP, is answered by the host's nameservers. */
export async function serveDnsInNode({ address, folder }: DnsPlan, port = dnsPort): Promise<() => void> {
  try {
    const ends = await Promise.all([serveUdp(address, port, folder), serveTcp(address, port, folder)]);
    return () => ends.forEach((end) => end());
  } catch (cause) {
    throw new U7sError('start-failed', `names cannot be resolved in the node: ${messageOf(cause)}`, {
      cause,
    });
  }
}

async function serveTcp(host: string, port: number, folder: string): Promise<() => void> {
  const server = createServer((near) => {
    const far = connect(dnsSocket(folder, 'tcp'));
    near.pipe(far).pipe(near);
    near.once('error', () => far.destroy()).once('close', () => far.destroy());
    far.once('error', () => near.destroy()).once('close', () => near.destroy());
  });
  server.listen({ host, port });
  await once(server, 'listening');
  server.on('error', () => undefined);
  return () => void server.close();
}

/** Who asked what: on the way to the host each question has a number of its own. */
type Asked = { id: number; client: RemoteInfo; at: number };

const numbers = 0x10000;
/** Nobody waits longer for an answer. */
const longestMs = 10_000;

async function serveUdp(address: string, port: number, folder: string): Promise<() => void> {
  const socket = createSocket('udp4');
  const asked = new Map<number, Asked>();
  let last = 0;
  let far: Socket | undefined;

  function toHost(): Socket {
    if (far !== undefined && !far.destroyed) return far;
    far = connect(dnsSocket(folder, 'udp'));
    far.on('error', () => far?.destroy());
    far.on('data', createFrameReader(pass));
    return far;
  }

  function pass(answer: Buffer): void {
    if (answer.length < headerBytes) return;
    const number = answer.readUInt16BE(0);
    const question = asked.get(number);
    if (question === undefined) return;
    asked.delete(number);
    answer.writeUInt16BE(question.id, 0);
    socket.send(answer, question.client.port, question.client.address);
  }

  socket.on('message', (query, client) => {
    if (query.length < headerBytes) return;
    last = (last + 1) % numbers;
    const before = asked.get(last);
    if (before !== undefined && Date.now() - before.at < longestMs) return;
    asked.set(last, { id: query.readUInt16BE(0), client, at: Date.now() });
    query.writeUInt16BE(last, 0);
    toHost().write(frame(query));
  });
  socket.bind({ address, port });
  await once(socket, 'listening');
  // To a client that is gone meanwhile nothing can be sent.
  socket.on('error', () => undefined);
  return () => {
    socket.close();
    far?.destroy();
  };
}
