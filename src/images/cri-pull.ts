import { connect, type IncomingHttpHeaders } from 'node:http2';
import { createConnection } from 'node:net';
import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';

/**
 * Pulls an image as the kubelet does: by CRI, so that mirrors, certificates and the way of unpacking are those of pods. The
 * password goes through the socket; ctr would take it as an argument, which everybody can read.
 *
 * @param socket of the runtime, as this process sees it
 */
export function pullByCri(
  socket: string,
  reference: string,
  login: { username: string; password: string } | undefined,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const session = connect('http://localhost', { createConnection: () => createConnection(socket) });
    const fail = (error: Error): void => {
      session.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    session.on('error', fail);
    const call = session.request({
      ':method': 'POST',
      ':path': '/runtime.v1.ImageService/PullImage',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status = '';
    let message = '';
    const note = (headers: IncomingHttpHeaders): void => {
      status = wordOf(headers['grpc-status']) ?? status;
      message = decodeURIComponent(wordOf(headers['grpc-message']) ?? message);
    };
    call.on('response', note);
    call.on('trailers', note);
    call.on('error', fail);
    call.on('close', () => {
      signal.removeEventListener('abort', onAbort);
      session.close();
      if (status === '0') resolve();
      else reject(pullFailed(reference, message || 'the runtime ended the connection'));
    });
    call.resume();
    call.end(frame(pullRequest(reference, login)));
  });
}

function wordOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** Says what can be done about the usual causes. */
export function pullFailed(reference: string, said: string): U7sError {
  const why = said.replace(/^.*failed to (?:pull and unpack|resolve) (?:image|reference) "[^"]*": /s, '');
  const server = reference.split('/')[0] ?? 'SERVER';
  const fixes = /no basic auth|authoriz|authentic|denied|401|403/i.test(said)
    ? [u7s(['registry', 'login', server, '--username', 'USER'], { text: 'log in', about: 'host' })]
    : /x509|certificate/.test(said)
      ? [`put the certificate of its authority into ~/.config/usernetes/certs.d/${server}/ca.crt`]
      : /not found/i.test(said)
        ? ['check name and tag of the image']
        : [];
  return new U7sError('image-pull-failed', `cannot pull ${reference}: ${why}`, { fixes });
}

/** PullImageRequest of CRI: image is its field 1, auth its field 2. */
function pullRequest(reference: string, login?: { username: string; password: string }): Buffer {
  const image = field(1, field(1, Buffer.from(reference)));
  if (login === undefined) return image;
  const auth = [field(1, Buffer.from(login.username)), field(2, Buffer.from(login.password))];
  return Buffer.concat([image, field(2, Buffer.concat(auth))]);
}

/** Of protobuf: a length-delimited field. */
function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([number * 8 + 2]), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

/** Of gRPC: an uncompressed message. */
function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
