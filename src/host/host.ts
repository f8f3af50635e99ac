import { watch } from 'node:fs';
import { constants, open, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { delimiter, dirname } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { errnoOf } from '../lib/errors.js';
import { run, type RunResult } from '../lib/exec.js';
import { exists, findExecutable } from '../lib/exists.js';
import { portHolder } from '../rootless/port-holder.js';

/** Everything that checks and facts ask the host, so that a test can imitate any host. Nothing here changes it. */
export type Host = {
  /** A file's text (that of a .gz file unpacked); undefined when it is missing or closed to us. */
  read(path: string): Promise<string | undefined>;
  /** Names in a directory; none when there is no such directory. */
  list(path: string): Promise<string[]>;
  stat(path: string): Promise<FileStats | undefined>;
  /** The errno name of opening `path` for reading and writing; undefined when it opens. */
  openFault(path: string): Promise<string | undefined>;
  /** The folder that prevents us from writing at `path`, or from creating it; undefined when none does. */
  closedFolder(path: string): Promise<string | undefined>;
  /** The errno name of listening on a TCP address; undefined when it is free. */
  listenFault(address: string, port: number): Promise<string | undefined>;
  /** Who listens on a TCP address, as far as this user may know: `nginx (pid 4711)`. */
  portHolder(address: string, port: number): Promise<string | undefined>;
  /** The errno name of watching a file: EMFILE when this user has no inotify instance left, ENOSPC when no watch. */
  watchFault(): Promise<string | undefined>;
  /** What lies at the path of a unix socket: nothing that matters, a listening server, or something else. */
  unixSocket(path: string): Promise<'free' | 'served' | 'not a socket'>;
  /** Absolute path of a program, also in the sbin folders. */
  which(program: string): Promise<string | undefined>;
  /** Bytes of the file system on which `path` lies, or would lie. */
  space(path: string): Promise<{ available: number; total: number }>;
  run(command: string, args: string[]): Promise<RunResult>;
  /** For programs started in another way: with the sbin folders on PATH. */
  env: Env;
};

/** `mtimeMs`: milliseconds since 1970. */
export type FileStats = { mode: number; uid: number; mtimeMs: number };

type Env = Record<string, string | undefined>;

const adminPath = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];

/** `env` with the sbin folders on its PATH, which an ordinary user's PATH may lack. */
export function adminEnv(env: Env): Env & { PATH: string } {
  const path = [...(env['PATH'] ?? '').split(delimiter).filter(Boolean), ...adminPath];
  return { ...env, PATH: [...new Set(path)].join(delimiter) };
}

/** This very machine. */
export function thisHost(env: Env): Host {
  const programEnv = adminEnv(env);
  const path = programEnv.PATH.split(delimiter);
  return {
    read: async (file) => {
      try {
        return file.endsWith('.gz')
          ? gunzipSync(await readFile(file)).toString()
          : await readFile(file, 'utf8');
      } catch {
        return undefined;
      }
    },
    list: (directory) => readdir(directory).catch(() => []),
    stat: (file) => stat(file).catch(() => undefined),
    openFault: async (file) => {
      try {
        await (await open(file, 'r+')).close();
        return undefined;
      } catch (error) {
        return errnoOf(error) ?? 'EIO';
      }
    },
    closedFolder: async (path) => {
      const folder = await nearestExisting(path);
      return (await exists(folder, constants.W_OK | constants.X_OK)) ? undefined : folder;
    },
    listenFault: (address, port) =>
      new Promise((resolve) => {
        const server = createServer();
        server.once('error', (error) => resolve(errnoOf(error) ?? 'EIO'));
        server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)));
      }),
    portHolder: (address, port) =>
      portHolder({ proto: 'tcp', parentIP: address, parentPort: port, childPort: port }),
    watchFault: () => {
      try {
        watch('/').close();
        return Promise.resolve(undefined);
      } catch (error) {
        return Promise.resolve(errnoOf(error) ?? 'EIO');
      }
    },
    unixSocket: (path) =>
      new Promise((resolve) => {
        const socket = connect(path, () => {
          socket.destroy();
          resolve('served');
        });
        // Otherwise nothing is there, or the socket of a server that has died.
        socket.once('error', (error) =>
          resolve(['ENOTSOCK', 'EACCES'].includes(errnoOf(error) ?? '') ? 'not a socket' : 'free'),
        );
      }),
    which: (program) => findExecutable(program, path),
    space: async (file) => {
      const { bavail, blocks, bsize } = await statfs(await nearestExisting(file));
      return { available: bavail * bsize, total: blocks * bsize };
    },
    run: (command, args) => run(command, args, { env: programEnv, timeout: 60_000 }),
    env: programEnv,
  };
}

/** `path` itself or its first parent that exists. */
export async function nearestExisting(path: string): Promise<string> {
  for (let current = path; ; current = dirname(current)) {
    if (current === '/' || (await exists(current))) return current;
  }
}
