import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6 } from 'node:net';
import { createFrameReader, frame } from '#src/rootless/dns/frames.js';

/** A server of names that knows some addresses, on the host's loopback; what it is asked is noted. */
export type Nameserver = { asked: string[]; close: () => void };

/** `names`: IPv4 addresses by name. With `truncated`, by UDP it only says that there is more. */
export async function nameserver(
  address: string,
  port: number,
  names: Readonly<Record<string, string>>,
  { truncated = false }: { truncated?: boolean } = {},
): Promise<Nameserver> {
  const asked: string[] = [];
  const answer = (query: Buffer, transport: 'udp' | 'tcp'): Buffer => {
    const name = nameIn(query);
    asked.push(`${transport} ${name}`);
    return answerTo(query, names[name], truncated && transport === 'udp');
  };
  const udp = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  udp.on('message', (query, { port: to, address: client }) => udp.send(answer(query, 'udp'), to, client));
  udp.bind({ address, port });
  const tcp = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on(
      'data',
      createFrameReader((query) => socket.write(frame(answer(query, 'tcp')))),
    );
  });
  tcp.listen({ host: address, port });
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')]);
  udp.unref();
  tcp.unref();
  return { asked, close: () => void [udp.close(), tcp.close()] };
}

/** Asks for an IPv4 address. */
export function question(name: string, id = 4711): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}

export const addressIn = (answer: Buffer): string => [...answer.subarray(-4)].join('.');

function endOfQuestion(query: Buffer): number {
  let at = 12;
  while (query[at]) at += (query[at] ?? 0) + 1;
  return at + 5;
}

function nameIn(query: Buffer): string {
  const labels: string[] = [];
  for (let at = 12; query[at]; at += (query[at] ?? 0) + 1)
    labels.push(query.toString('latin1', at + 1, at + 1 + (query[at] ?? 0)));
  return labels.join('.').toLowerCase();
}

function answerTo(query: Buffer, address: string | undefined, truncated: boolean): Buffer {
  const end = endOfQuestion(query);
  const wantsAddress = query.readUInt16BE(end - 4) === 1;
  const given = address !== undefined && wantsAddress && !truncated;
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180 | (truncated ? 0x0200 : 0) | (address === undefined ? 3 : 0), 2);
  header.writeUInt16BE(given ? 1 : 0, 6);
  header.fill(0, 8);
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...(address ?? '').split('.').map(Number)];
  return Buffer.concat([header, query.subarray(12, end), Buffer.from(given ? record : [])]);
}
