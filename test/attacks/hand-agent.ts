/**
 * What somebody does at some place, one line of JSON for each request and each answer. It runs as that somebody, on another
 * host or in a pod, from a copy of this file alone: it imports nothing of ours.
 */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, readlinkSync, unlinkSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';

export type HttpAnswer = { status: number; body: string } | { error: string };
export type HttpQuestion = {
  /** Without TLS. */
  plain?: boolean;
  host: string;
  port: number;
  path: string;
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: string;
  /** Who is asked is believed, whoever it is, unless this is given. */
  ca?: string;
  cert?: string;
  key?: string;
  tls?: Pick<RequestOptions, 'minVersion' | 'maxVersion' | 'ciphers' | 'servername'>;
};
export type Ran = { exitCode: number | string; stdout: string; stderr: string };

const patience = 8_000;

const errnoOf = (error: unknown): string =>
  error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);

function attempt(action: () => string): string {
  try {
    return action();
  } catch (error) {
    return errnoOf(error);
  }
}

function opened(path: string, flags: number, done: string): string {
  return attempt(() => {
    closeSync(openSync(path, flags, 0o600));
    return done;
  });
}

const actions = {
  read: (path: string) => opened(path, constants.O_RDONLY | constants.O_NONBLOCK, 'read'),
  write: (path: string) =>
    opened(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK, 'written'),
  create: (path: string) => {
    const outcome = opened(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 'created');
    if (outcome === 'created') unlinkSync(path);
    return outcome;
  },
  list: (path: string) => attempt(() => `listed ${readdirSync(path).join(' ')}`),
  link: (path: string) => attempt(() => `links to ${readlinkSync(path)}`),
  signal: (pid: number, signal: NodeJS.Signals) =>
    attempt(() => {
      process.kill(pid, signal);
      return 'signalled';
    }),
  connect: (where: { path: string } | { host: string; port: number }) =>
    new Promise<string>((resolve) => {
      const socket = connect({ timeout: patience, ...where });
      const settle = (outcome: string): void => {
        socket.destroy();
        resolve(outcome);
      };
      socket.once('connect', () => settle('connected'));
      socket.once('timeout', () => settle('no answer'));
      socket.once('error', (error) => settle(errnoOf(error)));
    }),
  listen: (host: string, port: number) =>
    new Promise<string>((resolve) => {
      const server = createServer();
      server.once('error', (error) => resolve(errnoOf(error)));
      server.listen(port, host, () => server.close(() => resolve('listened')));
    }),
  ask: ({ plain, body, tls, ...question }: HttpQuestion) =>
    new Promise<HttpAnswer>((resolve) => {
      const options = {
        ...question,
        ...tls,
        method: question.method ?? 'GET',
        timeout: patience,
        agent: false,
        rejectUnauthorized: question.ca !== undefined,
      };
      try {
        const sent = (plain ? httpRequest : httpsRequest)(options, (answer) => {
          let text = '';
          answer.on('data', (chunk) => {
            text += String(chunk);
            if (text.length > 200_000) answer.destroy();
          });
          answer.on('error', () => undefined);
          answer.on('close', () => resolve({ status: answer.statusCode ?? 0, body: text.slice(0, 200_000) }));
        });
        sent.on('timeout', () => sent.destroy(new Error('no answer')));
        sent.on('error', (error) => resolve({ error: errnoOf(error) }));
        // So are requests answered to upgrade a connection or to CONNECT; nothing more is wanted of it.
        for (const event of ['upgrade', 'connect'] as const)
          sent.on(event, ({ statusCode = 0 }: IncomingMessage, socket: Duplex) => {
            socket.destroy();
            resolve({ status: statusCode, body: '' });
          });
        sent.end(body);
      } catch (error) {
        resolve({ error: errnoOf(error) });
      }
    }),
  run: (argv: string[], options: { env?: Record<string, string>; input?: string; cwd?: string } = {}) =>
    new Promise<Ran>((resolve) => {
      const [command = '', ...args] = argv;
      const child = execFile(
        command,
        args,
        { timeout: 20_000, cwd: options.cwd, env: { ...process.env, ...options.env } },
        (error, stdout, stderr) =>
          resolve({
            exitCode: error === null ? 0 : (error.code ?? error.signal ?? 'failed'),
            stdout,
            stderr,
          }),
      );
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.input ?? '');
    }),
};

export type Actions = typeof actions;

const byName = actions as Record<string, (...args: never[]) => unknown>;
for await (const line of createInterface({ input: process.stdin })) {
  const { id, action, args } = JSON.parse(line) as { id: number; action: string; args: never[] };
  const tooLate = new Promise<string>((resolve) => void setTimeout(resolve, 30_000, 'no outcome').unref());
  void Promise.race([byName[action]?.(...args), tooLate]).then((outcome) =>
    process.stdout.write(`${JSON.stringify({ id, outcome })}\n`),
  );
}
process.exit(0);
