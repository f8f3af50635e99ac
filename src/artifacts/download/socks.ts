import { once } from 'node:events';
import { connect, isIPv4, isIPv6, type Socket } from 'node:net';
import ipaddr from 'ipaddr.js';
import { credentialsOf, withoutBrackets } from './proxy-choice.js';

/** What a SOCKS proxy says when it refuses (RFC 1928, 6). */
const refusals: Readonly<Record<number, string>> = {
  1: 'it has failed',
  2: 'its rules forbid it',
  3: 'it cannot reach the network',
  4: 'it cannot reach the host',
  5: 'the host refuses',
  6: 'the host does not answer',
};

/** Those that may pass. */
const passing = [1, 3, 4, 6];

export class SocksError extends Error {
  constructor(
    message: string,
    readonly transient: boolean,
  ) {
    super(message);
  }
}

/** Opens a byte stream through a SOCKS 5 proxy, which also resolves the name (RFC 1928, 1929). */
export async function openSocks(
  proxy: URL,
  target: { host: string; port: number },
  limitMs: number,
): Promise<Socket> {
  const socket = connect({ host: withoutBrackets(proxy.hostname), port: Number(proxy.port || 1080) });
  const limit = setTimeout(() => socket.destroy(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
  try {
    await once(socket, 'connect');
    await authenticate(socket, proxy);
    socket.write(Buffer.concat([Buffer.from([5, 1, 0]), addressOf(target.host), portOf(target.port)]));
    const [, reply = 1, , kind] = await take(socket, 4);
    if (reply !== 0)
      throw new SocksError(refusals[reply] ?? `it refuses with ${reply}`, passing.includes(reply));
    const length = kind === 1 ? 4 : kind === 4 ? 16 : ((await take(socket, 1))[0] ?? 0);
    await take(socket, length + 2);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(limit);
  }
}

async function authenticate(socket: Socket, proxy: URL): Promise<void> {
  const credentials = credentialsOf(proxy);
  socket.write(Buffer.from(credentials ? [5, 2, 0, 2] : [5, 1, 0]));
  const [version, method] = await take(socket, 2);
  if (version !== 5) throw new SocksError('it does not speak SOCKS 5', false);
  if (method === 0) return;
  if (method !== 2 || !credentials) throw new SocksError('it wants a user and a password', false);
  const [user, password] = [Buffer.from(credentials.user), Buffer.from(credentials.password)];
  socket.write(
    Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([password.length]), password]),
  );
  const [, status] = await take(socket, 2);
  if (status !== 0) throw new SocksError('it refuses the user or the password', false);
}

function addressOf(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from([1, ...ipaddr.parse(host).toByteArray()]);
  if (isIPv6(host)) return Buffer.from([4, ...ipaddr.parse(host).toByteArray()]);
  return Buffer.concat([Buffer.from([3, Buffer.byteLength(host)]), Buffer.from(host)]);
}

const portOf = (port: number): Buffer => Buffer.from([port >> 8, port & 255]);

async function take(socket: Socket, count: number): Promise<Buffer> {
  for (;;) {
    const bytes = socket.read(count) as Buffer | null;
    if (bytes !== null) {
      if (bytes.length === count) return bytes;
      break;
    }
    if (socket.readableEnded || socket.destroyed) break;
    await once(socket, 'readable');
  }
  throw new SocksError('it ended the connection', true);
}
