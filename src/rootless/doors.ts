import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';

/**
 * A port of the host's own loopback that the node reaches. The network of the node leads to no address of that loopback; a
 * door does, through a unix socket that both sides see: the launcher connects it to the host's port, and the supervisor serves
 * the port in the namespaces. Nothing else of the loopback is opened.
 */
export type Door = {
  port: number;
  /** Address of the host's loopback. */
  host: string;
  /** Addresses within the namespaces on which the node serves it. */
  listen: readonly string[];
  /** Path of the unix socket, in a folder of the doors' own. */
  socket: string;
};

/** Closes all that it has opened. */
export type Close = () => Promise<void>;

/** On the host: whoever connects to the socket of a door speaks to its port. */
export async function openOnHost(doors: readonly Door[]): Promise<Close> {
  const folders = [...new Set(doors.map(({ socket }) => dirname(socket)))];
  const remove = async (): Promise<void> => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  };
  await remove();
  for (const folder of folders) await mkdir(folder, { mode: 0o700 });
  const close = await serveAll(
    doors.map(({ socket, host, port }) => ({
      where: { path: socket },
      what: `port ${port} for the node`,
      to: { host, port },
    })),
  );
  return () => close().then(remove);
}

/** In the namespaces: whoever connects to the port of a door speaks to its socket. */
export function openInNode(doors: readonly Door[]): Promise<Close> {
  return serveAll(
    doors.flatMap(({ socket, port, listen }) =>
      listen.map((host) => ({
        where: { host, port },
        what: `port ${port} of the host at ${host} in the node`,
        to: { path: socket },
      })),
    ),
  );
}

type Service = { where: { path: string } | { host: string; port: number }; what: string; to: NetConnectOpts };

async function serveAll(services: readonly Service[]): Promise<Close> {
  const sockets = new Set<Socket>();
  const servers = await Promise.all(services.map((service) => serve(service, sockets)));
  return async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(
      servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))),
    );
  };
}

async function serve({ where, what, to }: Service, sockets: Set<Socket>): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ ...to, allowHalfOpen: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.once('error', () => other.destroy());
      // What it has sent may still be on its way to the other.
      one.once('close', () => {
        sockets.delete(one);
        other.end();
      });
    }
  });
  server.listen(where);
  try {
    await once(server, 'listening');
  } catch (error) {
    const why =
      errnoOf(error) === 'EADDRINUSE' ? 'another program of the node listens there' : messageOf(error);
    throw new U7sError('port-taken', `cannot open ${what}: ${why}`, {
      fixes: ['take another port of the host, or end what listens there'],
      cause: error,
    });
  }
  server.on('error', () => undefined);
  return server;
}
