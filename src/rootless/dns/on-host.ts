import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { messageOf, U7sError } from '../../lib/errors.js';
import { dnsPort, exchangeByTcp, exchangeByUdp, headerBytes, type Transport } from './exchange.js';
import { createFailover } from './failover.js';
import { createFrameReader, frame } from './frames.js';
import { parseResolvConf, resolvConf, type Resolver } from './resolv-conf.js';

/** How a node asks the host's nameservers: through unix sockets in a folder that both sides see, one a transport. */
export type DnsPlan = {
  /** Where programs of the node find it. */
  address: string;
  folder: string;
};

export const dnsSocket = (folder: string, transport: Transport): string => join(folder, `${transport}.sock`);

export type HostDns = {
  resolver: () => Resolver;
  /** Those of the host's servers that did not answer lately. */
  silent: () => string[];
  /** Hears of other search domains within seconds. */
  onSearch: (hear: (search: readonly string[]) => void) => void;
  close: () => Promise<void>;
};

type Where = { path: string; port: number };

const lookMs = 2_000;
/** More are not answered: each takes a socket. */
const mostQuestions = 500;

/** On the host: whoever connects to a socket in the folder asks the servers of the host's resolv.conf, as it is at that moment. */
export async function serveDnsOnHost(
  folder: string,
  { path, port }: Where = { path: resolvConf, port: dnsPort },
): Promise<HostDns> {
  const current = resolverReader(path);
  const { ask, silent } = createFailover();
  const exchanges = { udp: exchangeByUdp(port), tcp: exchangeByTcp(port) };
  const sockets = new Set<Socket>();
  let open = 0;

  async function answer(client: Socket, transport: Transport, query: Buffer): Promise<void> {
    if (query.length < headerBytes || open >= mostQuestions) return;
    open += 1;
    try {
      const found = await ask(query, current().servers, exchanges[transport]);
      if (found !== undefined && client.writable) client.write(frame(found));
    } finally {
      open -= 1;
    }
  }

  async function serve(transport: Transport): Promise<Server> {
    const server = createServer((client) => {
      sockets.add(client);
      client.on(
        'data',
        createFrameReader((query) => void answer(client, transport, query)),
      );
      client.on('error', () => undefined);
      client.once('close', () => sockets.delete(client));
    });
    server.listen(dnsSocket(folder, transport));
    await once(server, 'listening');
    server.on('error', () => undefined);
    return server;
  }

  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  const servers = await Promise.all([serve('udp'), serve('tcp')]).catch((cause: unknown) => {
    throw new U7sError('start-failed', `names cannot be resolved for the node: ${messageOf(cause)}`, {
      cause,
    });
  });
  let timer: NodeJS.Timeout | undefined;
  return {
    resolver: current,
    silent: () => silent(current().servers),
    onSearch: (hear) => {
      let before = current().search.join(' ');
      timer = setInterval(() => {
        const { search } = current();
        if (search.join(' ') === before) return;
        before = search.join(' ');
        hear(search);
      }, lookMs);
    },
    close: async () => {
      clearInterval(timer);
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((each) => new Promise<void>((done) => void each.close(() => done()))));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Reads the file again when it is another one or has changed: a VPN or the Wi-Fi replaces it. One that is gone keeps its word. */
function resolverReader(path: string): () => Resolver {
  let stamp = '';
  let resolver: Resolver = parseResolvConf('');
  return () => {
    try {
      const { ino, dev, mtimeMs, ctimeMs, size } = statSync(path);
      const now = [ino, dev, mtimeMs, ctimeMs, size].join();
      if (now !== stamp) resolver = parseResolvConf(readFileSync(path, 'utf8'));
      stamp = now;
    } catch {
      // It is just being replaced.
    }
    return resolver;
  };
}
