import type * as X509 from '@peculiar/x509';
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type { CertificateSpec } from './certificates.js';
import { x509 } from './x509.js';

/** A certificate and its PKCS#8 key, both PEM. */
export type KeyPair = { certPem: string; keyPem: string };

/** A certificate authority that is ready to sign. */
export type Issuer = {
  certPem: string;
  name: X509.JsonName;
  keyIdentifier: X509.AuthorityKeyIdentifierExtension;
  notAfter: Date;
  key: webcrypto.CryptoKey;
};

type Keys = { publicDer: Buffer; keyPem: string };

export const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
export const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };

// Encoding takes most of the time, so the parts that all certificates have in common are encoded once.
const leafExtensions = [
  new x509.BasicConstraintsExtension(false, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
];
const usageExtensions = {
  server: new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
  client: new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  both: new x509.ExtendedKeyUsageExtension([
    x509.ExtendedKeyUsage.serverAuth,
    x509.ExtendedKeyUsage.clientAuth,
  ]),
};

/** How long before its making a certificate is valid, for machines whose clocks are a little behind. */
const skewMs = 5 * 60_000;

/** Makes a self-signed authority, valid for ten years. */
export async function createAuthority(commonName: string, now: Date): Promise<KeyPair & { issuer: Issuer }> {
  const { publicDer, keyPem } = generateKeys();
  const issuer = {
    name: [{ CN: [commonName] }],
    keyIdentifier: new x509.AuthorityKeyIdentifierExtension(keyIdOf(publicDer)),
    notAfter: yearsAfter(now, 10),
    key: await importSigningKey(keyPem),
  };
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: issuer.name,
    issuer: issuer.name,
    notBefore: new Date(now.getTime() - skewMs),
    notAfter: issuer.notAfter,
    signingAlgorithm,
    publicKey: publicDer,
    signingKey: issuer.key,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      new x509.SubjectKeyIdentifierExtension(keyIdOf(publicDer)),
    ],
  });
  const certPem = `${certificate.toString('pem')}\n`;
  return { certPem, keyPem, issuer: { ...issuer, certPem } };
}

/** Loads an authority from its files, to sign with it. */
export async function loadIssuer({ certPem, keyPem }: KeyPair): Promise<Issuer> {
  const certificate = new x509.X509Certificate(certPem);
  return {
    certPem,
    name: certificate.subjectName.toJSON(),
    keyIdentifier: new x509.AuthorityKeyIdentifierExtension(keyIdOf(certificate.publicKey.rawData)),
    notAfter: certificate.notAfter,
    key: await importSigningKey(keyPem),
  };
}

/** Makes a key, which `issuer` certifies for a year, or for as long as it is valid itself. */
export async function issueCertificate(spec: CertificateSpec, issuer: Issuer, now: Date): Promise<KeyPair> {
  const { publicDer, keyPem } = generateKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [
      ...(spec.organization === undefined ? [] : [{ O: [spec.organization] }]),
      { CN: [spec.commonName] },
    ],
    issuer: issuer.name,
    notBefore: new Date(now.getTime() - skewMs),
    notAfter: new Date(Math.min(yearsAfter(now, 1).getTime(), issuer.notAfter.getTime())),
    signingAlgorithm,
    publicKey: publicDer,
    signingKey: issuer.key,
    extensions: [
      ...leafExtensions,
      usageExtensions[spec.usage],
      new x509.SubjectKeyIdentifierExtension(keyIdOf(publicDer)),
      issuer.keyIdentifier,
      ...(spec.hosts.length === 0 ? [] : [alternativeNames(spec.hosts)]),
    ],
  });
  const certPem = `${certificate.toString('pem')}\n`;
  return { certPem: spec.chain ? certPem + issuer.certPem : certPem, keyPem };
}

export function alternativeNames(hosts: string[]): X509.SubjectAlternativeNameExtension {
  return new x509.SubjectAlternativeNameExtension(
    hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
  );
}

/** 126 random bits. The top bits are fixed, so that DER needs neither padding nor shortening. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

/** Identifies a key by the SHA-256 of its SubjectPublicKeyInfo, cut to 160 bits (RFC 7093, method 4). */
function keyIdOf(publicDer: ArrayBuffer | Buffer): string {
  return createHash('sha256').update(new Uint8Array(publicDer)).digest('hex').slice(0, 40);
}

function generateKeys(): Keys {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: algorithm.namedCurve });
  return {
    publicDer: publicKey.export({ type: 'spki', format: 'der' }),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}

function importSigningKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}

function yearsAfter(date: Date, years: number): Date {
  const later = new Date(date);
  later.setUTCFullYear(later.getUTCFullYear() + years);
  return later;
}
