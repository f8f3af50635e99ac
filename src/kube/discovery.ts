import { createHash, X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { send } from './transport.js';

export type Discovered = {
  /** PEM of the authority that `hash` names. */
  ca: string;
  /** The addresses of both ends of the connection: this host's own and the server's. */
  localAddress: string;
  remoteAddress: string;
};

const limitMs = 10_000;

/** `sha256:` and the hash of the authority's public key (SubjectPublicKeyInfo), as kubeadm writes it. */
export function caHash(ca: string): string {
  const der = new X509Certificate(ca).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(der).digest('hex')}`;
}

/**
 * Gets the authority of an API server, of which only the hash is known, from the chain that the server presents. Nothing is
 * sent besides the TLS greeting. Whether that authority has issued the server's own certificate shows at the next
 * connection, which trusts no other.
 */
export async function discoverAuthority(
  { host, port }: { host: string; port: number },
  hash: string,
  signal: AbortSignal,
): Promise<Discovered> {
  const socket = await call(host, port, signal);
  try {
    const chain = chainOf(socket).map((der) => new X509Certificate(der).toString());
    const ca = chain.find((certificate) => caHash(certificate) === hash);
    const { localAddress = '', remoteAddress = '' } = socket;
    if (ca !== undefined) return { ca, localAddress, remoteAddress };
    throw new U7sError(
      'wrong-authority',
      `${host}:${port} is not the control plane that ${hash} names: the server there has another certificate authority`,
      { fixes: [u7s(['join-command'], { on: 'control-plane', text: 'get a new line' })] },
    );
  } finally {
    socket.destroy();
  }
}

function call(host: string, port: number, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // The caller verifies it, by the hash.
    const socket = connect({ host, port, rejectUnauthorized: false, servername: '' });
    const fail = (why: string, cause?: unknown): void => {
      socket.destroy();
      reject(unreachable(`${host}:${port}`, why, cause));
    };
    const timer = setTimeout(() => fail(`no answer within ${limitMs / 1000} s`), limitMs);
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.once('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      fail('it hung up');
    });
    socket.once('error', (error) => fail(errnoOf(error) ?? messageOf(error), error));
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

export function unreachable(where: string, why: string, cause: unknown): U7sError {
  return new U7sError('api-unreachable', `the control plane does not answer on ${where}: ${why}`, {
    fixes: [
      u7s(['status'], {
        on: 'control-plane',
        text: `check that it is running and that its API is at ${where}`,
      }),
      `open TCP port ${where.slice(where.lastIndexOf(':') + 1)} in any firewall between the two hosts`,
    ],
    cause,
  });
}

/** Every certificate that was presented, DER. */
function chainOf(socket: TLSSocket): Buffer[] {
  const found: Buffer[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && !found.some((known) => known.equals(next?.raw ?? Buffer.alloc(0)))) {
    found.push(next.raw);
    next = next.issuerCertificate;
  }
  return found;
}

/** Certificates are valid from five minutes before they are made, so a clock may be almost that much behind. */
const skewLimitMs = 4 * 60_000;

/**
 * Makes sure, before anything secret is sent, that the authority has issued the server's certificate for the name by which
 * it was called, and that the two clocks agree well enough for the certificates that follow.
 */
export async function verifyServer(server: string, ca: string, signal: AbortSignal): Promise<void> {
  const agent = new Agent({ ca });
  const where = new URL(server).host;
  try {
    const response = await send(agent, 'GET', new URL('/readyz', server), { signal, timeoutMs: limitMs });
    response.resume();
    const skewMs = Date.now() - Date.parse(response.headers.date ?? '');
    if (Math.abs(skewMs) > skewLimitMs) throw clocksDiffer(skewMs);
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof U7sError ? error : explainTls(where, error);
  } finally {
    agent.destroy();
  }
}

function clocksDiffer(skewMs: number): U7sError {
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  return new U7sError(
    'clock-wrong',
    `the clock of this host is ${minutes} minutes ${skewMs < 0 ? 'behind' : 'ahead of'} that of the control plane`,
    { fixes: ['set both clocks, as root: timedatectl set-ntp true'] },
  );
}

function explainTls(where: string, error: unknown): U7sError {
  switch (errnoOf(error)) {
    case 'CERT_NOT_YET_VALID':
    case 'CERT_HAS_EXPIRED':
      return new U7sError(
        'clock-wrong',
        `by the clock of this host, ${new Date().toISOString()}, the certificate of ${where} is not valid: ${messageOf(error)}`,
        { fixes: ['set the clocks of both hosts, as root: timedatectl set-ntp true'], cause: error },
      );
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return new U7sError(
        'wrong-address',
        `the control plane's certificate is not for ${where}: ${messageOf(error)}`,
        {
          fixes: [u7s(['join-command'], { on: 'control-plane', text: 'use the address in the line' })],
          cause: error,
        },
      );
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'CERT_SIGNATURE_FAILURE':
      return new U7sError(
        'wrong-authority',
        `the server at ${where} shows the control plane's authority, but that authority did not issue its certificate: ${messageOf(error)}`,
        {
          fixes: [
            'find out what intercepts the connection between the two hosts; nothing secret was sent to it',
          ],
          cause: error,
        },
      );
    default:
      return unreachable(where, errnoOf(error) ?? messageOf(error), error);
  }
}
