import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { createFrameReader, frame } from './frames.js';

export type Transport = 'udp' | 'tcp';

/** One question to one server. Rejects when the server cannot be reached, or `signal` is aborted. */
export type Exchange = (server: string, query: Buffer, signal: AbortSignal) => Promise<Buffer>;

export const dnsPort = 53;
/** Id, flags and four counts. */
export const headerBytes = 12;

/** A socket of its own for each question: nobody can guess from which port it comes, and an error belongs to it alone. */
export function exchangeByUdp(port = dnsPort): Exchange {
  return (server, query, signal) =>
    new Promise((resolve, reject) => {
      const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
      let ended = false;
      const end = (): void => {
        if (ended) return;
        ended = true;
        signal.removeEventListener('abort', abort);
        socket.removeAllListeners('message').close();
      };
      const fail = (error: Error): void => {
        end();
        reject(error);
      };
      const abort = (): void => fail(new Error(`${server} is not waited for any longer`));
      socket.on('error', fail);
      socket.on('message', (answer) => {
        if (!isAnswerTo(answer, query)) return;
        end();
        resolve(answer);
      });
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort);
      // Connected, it takes answers of that server alone, and hears that nobody listens there. Without a way to the server
      // Node.js hands the error to the callback alone.
      socket.connect(port, server, (error?: Error | null) => {
        if (error) fail(error);
        else if (!ended) socket.send(query);
      });
    });
}

export function exchangeByTcp(port = dnsPort): Exchange {
  return (server, query, signal) =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: server, port, signal });
      const read = createFrameReader((answer) => {
        if (!isAnswerTo(answer, query)) return;
        resolve(answer);
        socket.destroy();
      });
      socket.on('data', read);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error(`${server} has closed the connection`)));
      socket.write(frame(query));
    });
}

function isAnswerTo(answer: Buffer, query: Buffer): boolean {
  if (answer.length < headerBytes) return false;
  return answer.readUInt16BE(0) === query.readUInt16BE(0) && (answer.readUInt8(2) & 0x80) !== 0;
}
