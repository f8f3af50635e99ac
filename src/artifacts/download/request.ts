import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { messageOf, U7sError } from '../../lib/errors.js';
import type { Fix } from '../../lib/fixes.js';
import { NetworkError } from '../errors.js';
import type { AgentFor } from './proxy-agent.js';
import { basicAuthorization, credentialsOf } from './proxy-choice.js';

export type RequestOptions = {
  agent: AgentFor;
  signal: AbortSignal;
  method?: 'GET' | 'HEAD';
  headers?: Record<string, string>;
  /** Milliseconds that each host on the way has for its answer, with looking up its name. */
  answerMs?: number;
};

/** The last answer on the way. Its body has to be read or destroyed. */
export type Answer = { url: URL; status: number; headers: IncomingHttpHeaders; body: IncomingMessage };

/** A name server that is dead costs 5 s before the next one is asked. */
const defaultAnswerMs = 15_000;
const maxRedirects = 8;

/** Sends a request and follows redirects. User and password of `url` go to its own host only. */
export async function request(url: string, options: RequestOptions): Promise<Answer> {
  const first = new URL(url);
  let target = first;
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const answer = await ask(target, first, options);
    const { location } = answer.headers;
    if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined) return answer;
    answer.body.destroy();
    if (!URL.canParse(location, target.href)) break;
    target = new URL(location, target.href);
    if (!/^https?:$/.test(target.protocol)) break;
  }
  throw new NetworkError('download-failed', `${shown(url)} redirects to nowhere`, { transient: false });
}

/** A URL for people: without password, and without a query, which may be a key. */
export function shown(url: string | URL): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

async function ask(target: URL, first: URL, options: RequestOptions): Promise<Answer> {
  const { agent, signal, method = 'GET', headers = {}, answerMs = defaultAnswerMs } = options;
  signal.throwIfAborted();
  const plain = new URL(target);
  plain.username = plain.password = '';
  const credentials = target.origin === first.origin ? credentialsOf(first) : undefined;
  const sent = {
    // As it lies there: sums and ranges count bytes without compression.
    'accept-encoding': 'identity',
    accept: '*/*',
    'user-agent': 'usernetes',
    ...headers,
    ...(credentials ? { authorization: basicAuthorization(credentials) } : {}),
  };
  let timer: NodeJS.Timeout | undefined;
  try {
    const body = await new Promise<IncomingMessage>((resolve, reject) => {
      const module = plain.protocol === 'https:' ? https : http;
      const sending = module.request(
        plain,
        { agent: agent(plain), method, headers: sent, signal: AbortSignal.any([signal]) },
        resolve,
      );
      const late = Object.assign(new Error(`no answer within ${answerMs / 1000} s`), { code: 'ETIMEDOUT' });
      timer = setTimeout(() => {
        reject(late); // an agent that still waits for its proxy has no connection to destroy
        sending.destroy();
      }, answerMs);
      sending.once('error', reject);
      sending.end();
    });
    // Whoever reads it hears of a fault; without a reader it must not end the process.
    body.on('error', () => undefined);
    return { url: plain, status: body.statusCode ?? 0, headers: body.headers, body };
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(plain.host, error);
  } finally {
    clearTimeout(timer);
  }
}

/** What was thrown while a host was asked, as an error that names it. */
export function unreachable(host: string, error: unknown): U7sError {
  if (error instanceof U7sError) return error;
  const code = networkCode(error);
  const certificate = certificateFaults.find(([pattern]) => pattern.test(code));
  const reason = messageOf(error) || code || 'no connection';
  return new NetworkError('download-unreachable', `${host} cannot be reached (${reason})`, {
    transient: transientCodes.has(code),
    fixes: certificate ? [certificate[1]] : reachFixes,
    cause: error,
  });
}

/** Of several addresses, each of which has failed, the first fault. */
export function networkCode(error: unknown): string {
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  return inner instanceof Error && 'code' in inner ? String(inner.code) : '';
}

export const reachFixes: readonly Fix[] = [
  'set HTTPS_PROXY to your proxy',
  'set U7S_MIRROR to a mirror of the downloads',
];

const certificateFaults: readonly [RegExp, Fix][] = [
  [/^CERT_(NOT_YET_VALID|HAS_EXPIRED)$/, 'check the clock of this host: date'],
  [
    /CERT|ISSUER|SIGNATURE|ALTNAME|SELF_SIGNED/,
    'a proxy may inspect TLS: set SSL_CERT_FILE to the certificates that its owner gives you',
  ],
];

export const transientCodes: ReadonlySet<string> = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE', 'EPROTO'],
  ...['EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'ENOTFOUND', 'ENODATA'],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENETRESET', 'EADDRNOTAVAIL'],
  'ERR_STREAM_PREMATURE_CLOSE',
]);
