import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { X509Certificate } from 'node:crypto';

type Env = Record<string, string | undefined>;

/** Where distributions keep the certificates that the administrator trusts, in the order in which Go looks. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/tls/cacert.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * Whom downloads trust: Node.js' own list, the host's, since a proxy that inspects TLS is known only there, and what
 * SSL_CERT_FILE, SSL_CERT_DIR and NODE_EXTRA_CA_CERTS name. What arrives is checked against pinned sums all the same.
 */
export function trustedContext(env: Env): SecureContext {
  const system = env['SSL_CERT_FILE'] ? [env['SSL_CERT_FILE']] : systemBundles;
  const bundle = system.map(readText).find((text) => text !== '') ?? '';
  const folders = (env['SSL_CERT_DIR'] ?? '').split(':').filter((folder) => folder !== '');
  const texts = [bundle, ...folders.flatMap(readFolder), readText(env['NODE_EXTRA_CA_CERTS'] ?? '')];
  const further = new Set(texts.flatMap(certificatesIn));
  try {
    return createSecureContext({ ca: [...rootCertificates, ...further] });
  } catch {
    return createSecureContext({ ca: [...rootCertificates, ...[...further].filter(isCertificate)] });
  }
}

function readText(path: string): string {
  try {
    return path === '' ? '' : readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function readFolder(folder: string): string[] {
  try {
    return readdirSync(folder).map((file) => readText(join(folder, file)));
  } catch {
    return [];
  }
}

const certificatesIn = (text: string): string[] =>
  text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
