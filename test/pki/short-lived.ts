import { issueCertificate, loadIssuer } from '#src/pki/ca.js';
import type { CertificateSpec } from '#src/pki/certificates.js';
import { writePair } from '#src/pki/identity.js';
import { readPair } from '#src/pki/inspect.js';

/** In milliseconds: certificates are valid from five minutes before they are made. */
const skewMs = 5 * 60_000;

/**
 * Puts a certificate in place of that which is there, from the same authority, that ends in `endsInMs` and is due, since it
 * lives for less than half a year, in `dueInMs`.
 */
export async function putShortLived(
  dir: string,
  spec: CertificateSpec,
  { endsInMs, dueInMs }: { endsInMs: number; dueInMs: number },
): Promise<void> {
  const { certPem = '', keyPem = '' } = await readPair(dir, spec.authority);
  const issuer = await loadIssuer({ certPem, keyPem });
  const end = Date.now() + endsInMs;
  const start = end - 2 * (endsInMs - dueInMs);
  const pair = await issueCertificate(spec, { ...issuer, notAfter: new Date(end) }, new Date(start + skewMs));
  await writePair({ folder: dir, durable: false }, spec.name, pair);
}
