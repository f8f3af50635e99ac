import { createHash, X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';
import { send } from './transport.js';

export type Discovered = {
  /** PEM of the authority that `hash` names. */
  ca: string;
  /** The addresses of both ends: this host's own on the way there, and the server's. */
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
 * Gets the authority of an API server of which only the hash is known, as part of what the server shows when it is called.
 * Nothing is sent but the greeting. Whether the server's own certificate is of that authority shows at the next
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
      'todo',
      `${host}:${port} is not the control plane that ${hash} names: what answers there has another certificate authority`,
      { fixes: ['get the line anew, on the control plane: u7s join-command'] },
    );
  } finally {
    socket.destroy();
  }
}

function call(host: string, port: number, signal: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // Not verified here but by the hash.
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
  return new U7sError('todo', `the control plane does not answer on ${where}: ${why}`, {
    fixes: [
      `on its host: u7s status, which must name ${where}; let a firewall between the two hosts pass that TCP port`,
    ],
    cause,
  });
}

/** Every certificate that was shown, DER. */
function chainOf(socket: TLSSocket): Buffer[] {
  const found: Buffer[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && !found.some((known) => known.equals(next?.raw ?? Buffer.alloc(0)))) {
    found.push(next.raw);
    next = next.issuerCertificate;
  }
  return found;
}

/** Certificates are made out from five minutes before their making on, so a clock may be nearly that much behind. */
const skewLimitMs = 4 * 60_000;

/**
 * Makes sure, before anything secret is sent, that the server has a certificate of that authority for the name by which it
 * was called, and that the two clocks agree well enough for the certificates to come.
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
    'todo',
    `the clock of this host is ${minutes} minutes ${skewMs < 0 ? 'behind' : 'ahead of'} that of the control plane`,
    { fixes: ['set both right, as root: timedatectl set-ntp true'] },
  );
}

function explainTls(where: string, error: unknown): U7sError {
  switch (errnoOf(error)) {
    case 'CERT_NOT_YET_VALID':
    case 'CERT_HAS_EXPIRED':
      return new U7sError(
        'todo',
        `by the clock of this host, ${new Date().toISOString()}, the certificate of ${where} is not valid: ${messageOf(error)}`,
        { fixes: ['set the clocks of both hosts right, as root: timedatectl set-ntp true'], cause: error },
      );
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return new U7sError('todo', `the control plane is not called ${where}: ${messageOf(error)}`, {
        fixes: ['use the address in the line that it prints: u7s join-command'],
        cause: error,
      });
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'CERT_SIGNATURE_FAILURE':
      return new U7sError(
        'todo',
        `what answers on ${where} shows the control plane's authority, but has no certificate of it: ${messageOf(error)}`,
        {
          fixes: ['something between the hosts intercepts the connection; nothing was sent to it'],
          cause: error,
        },
      );
    default:
      return unreachable(where, errnoOf(error) ?? messageOf(error), error);
  }
}
