import { chmod, lstat, readFile, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { ensureDir } from '../lib/atomic-file.js';
import { codeOf, errnoOf, fixesOf, messageOf, U7sError } from '../lib/errors.js';
import { isFix, type Fix } from '../lib/fixes.js';
import { socketHolder } from '../lib/processes.js';
import { isObject, isString, listOf, objectOf, type Shape } from '../lib/shape.js';
import { messageWriter, readMessages } from './ndjson.js';

/** sun_path holds 108 bytes with the final zero: unix(7). */
const maxPathBytes = 107;

/** A client that leaves so much unread is dropped, lest it cost the server its memory. */
const maxUnreadBytes = 2 ** 20;

/** One line of an answer. */
type Reply<Answer> = { answer: Answer } | Refusal;
type Refusal = { error: string; code: string; fixes: readonly Fix[] };

export type ControlServer = { close(): Promise<void> };

/**
 * Sends any number of answers to one request; the connection ends when it returns, or with what it throws as an error.
 * `signal` is aborted when the client goes away.
 */
export type Handler<Request, Answer> = (
  request: Request,
  send: (answer: Answer) => void,
  signal: AbortSignal,
) => Promise<void> | void;

/** Nobody serves the socket: its owner does not run. */
export class NotServedError extends U7sError {
  override readonly name = 'NotServedError';
}

/** The server is there but does not answer: it hangs, or is overloaded. */
export class NoAnswerError extends U7sError {
  override readonly name = 'NoAnswerError';
}

/**
 * Serves a unix socket that only this user reaches (0600 in a folder that is set to 0700); each connection brings one
 * request. A socket that nobody serves any more is replaced; do this under the lock of whatever the socket belongs to,
 * since two could replace it at once. Throws when another process serves it.
 */
export async function serveControl<Request extends object, Answer>(
  path: string,
  isRequest: Shape<Request>,
  handle: Handler<Request, Answer>,
): Promise<ControlServer> {
  checkLength(path);
  await ensureDir(dirname(path), 0o700);
  await removeStale(path);

  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    clients.add(socket);
    socket.once('close', () => clients.delete(socket));
    void converse(socket, isRequest, handle);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve));
  server.on('error', () => {}); // of a connection that could not be accepted: its client sees it
  await chmod(path, 0o600);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of clients) socket.destroy();
      }),
  };
}

/** The first answer to a request. Throws `NotServedError` when nobody serves the socket, and what the server threw. */
export async function request<Request extends object, Answer>(
  path: string,
  message: Request,
  options: { isAnswer: Shape<Answer>; signal?: AbortSignal; timeoutMs: number },
): Promise<Answer> {
  const late = new AbortController();
  const abort = (): void => late.abort();
  const timer = setTimeout(abort, options.timeoutMs);
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    if (options.signal?.aborted) abort();
    for await (const answer of subscribe(path, message, options.isAnswer, late.signal)) return answer;
    options.signal?.throwIfAborted();
    if (late.signal.aborted)
      throw new NoAnswerError(
        'no-answer',
        `the server of ${path} has not answered within ${options.timeoutMs / 1000} s`,
      );
    throw new U7sError('no-answer', `the server of ${path} hung up without an answer`);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
  }
}

/** All answers to a request, until the server has no more or `signal` is aborted. Throws as `request` does. */
export async function* subscribe<Request extends object, Answer>(
  path: string,
  message: Request,
  isAnswer: Shape<Answer>,
  signal: AbortSignal,
): AsyncGenerator<Answer, void, void> {
  checkLength(path);
  const socket = await dial(path);
  const hangUp = (): void => void socket.destroy();
  signal.addEventListener('abort', hangUp, { once: true });
  if (signal.aborted) hangUp();
  try {
    messageWriter<Request>(socket)(message);
    for await (const reply of readMessages(socket, isReply)) {
      if (isRefusal(reply)) throw new U7sError(reply.code, reply.error, { fixes: reply.fixes });
      if (!isAnswer(reply.answer)) throw unreadable(path);
      yield reply.answer;
    }
  } finally {
    signal.removeEventListener('abort', hangUp);
    socket.destroy();
  }
}

const isRefusal = objectOf<Refusal>({ error: isString, code: isString, fixes: listOf(isFix) });
const isReply = (value: unknown): value is Reply<unknown> =>
  isRefusal(value) || (isObject(value) && 'answer' in value);

function unreadable(path: string): U7sError {
  return new U7sError(
    'unreadable-answer',
    `the answer of the server of ${path} has a form of another version`,
    {
      fixes: [{ text: 'start it anew with this version', commands: [['down'], ['up', '-d']] }],
    },
  );
}

/** Whether there is a server, be it one that hangs. */
export async function isServed(path: string): Promise<boolean> {
  try {
    (await dial(path)).destroy();
    return true;
  } catch (error) {
    if (error instanceof NotServedError) return false;
    throw error;
  }
}

/** Who listens on a unix socket; undefined when nobody does, or somebody of whom we may not know. */
export async function serverOf(path: string): Promise<{ pid: number } | undefined> {
  // proc_net(5): flags, with 10000 for a socket that listens, are the fourth field, inode and path the last two.
  const table = (await readFile('/proc/net/unix', 'utf8'))
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const found = table.find((fields) => fields[3] === '00010000' && fields[7] === path);
  return found && socketHolder(found[6] ?? '');
}

async function converse<Request extends object, Answer>(
  socket: Socket,
  isRequest: Shape<Request>,
  handle: Handler<Request, Answer>,
): Promise<void> {
  const write = messageWriter<Reply<Answer>>(socket);
  const reply = (message: Reply<Answer>): void => {
    write(message);
    if (socket.writableLength > maxUnreadBytes) socket.destroy();
  };
  const send = (answer: Answer): void => reply({ answer });
  const gone = new AbortController();
  const hungUp = (): void => gone.abort();
  socket.once('close', hungUp);
  try {
    const requests = readMessages(socket, isRequest, (line) =>
      reply({ error: `not a request: ${line.slice(0, 100)}`, code: 'unknown-request', fixes: [] }),
    );
    const { value, done } = await requests.next();
    if (done) return;
    void requests.next().then(hungUp); // the end of a connection is noticed only while it is read
    await handle(value, send, gone.signal);
  } catch (error) {
    reply({ error: messageOf(error), code: codeOf(error) ?? 'unforeseen', fixes: fixesOf(error) });
  } finally {
    socket.end();
  }
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isSocket())
    throw new U7sError('path-taken', `${path} is in the way: it is not a socket`, {
      fixes: [`rm -r ${path}`],
    });
  if (await isServed(path)) throw new U7sError('already-served', `another process serves ${path} already`);
  await rm(path, { force: true });
}

/** A server that ends resets the connections that it has not yet taken. */
function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket
      .once('connect', () => resolve(socket))
      .once('error', (error) => {
        const nobody = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes(errnoOf(error) ?? '');
        const Kind = nobody ? NotServedError : U7sError;
        reject(
          new Kind(nobody ? 'not-running' : 'unreachable', `cannot connect to ${path}: ${messageOf(error)}`, {
            cause: error,
          }),
        );
      });
  });
}

function checkLength(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes <= maxPathBytes) return;
  throw new U7sError(
    'path-too-long',
    `the socket's path is ${bytes} bytes long, a socket takes at most ${maxPathBytes}: ${path}`,
    {
      fixes: ['set XDG_RUNTIME_DIR to a folder with a shorter path'],
    },
  );
}
