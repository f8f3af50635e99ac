import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { errnoOf, U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import type { KeyPair } from './ca.js';
import type { CertificateSpec } from './certificates.js';
import { certificateFiles } from './identity.js';

/** In milliseconds: certificates are renewed when they expire within 90 days. */
export const renewBeforeMs = 90 * 24 * 3600_000;

/** When a certificate is to be renewed: those that live for less than half a year, after half of their life. */
export function renewalTime(certificate: X509Certificate): number {
  const { start, end } = validity(certificate);
  return end - Math.min(renewBeforeMs, (end - start) / 2);
}

/** RFC 5280, 4.2.1.12: id-kp-serverAuth and id-kp-clientAuth. */
const serverAuth = '1.3.6.1.5.5.7.3.1';
const clientAuth = '1.3.6.1.5.5.7.3.2';
const usageOids = { server: [serverAuth], client: [clientAuth], both: [serverAuth, clientAuth] };

/** The text of a file, or undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export async function readPair(dir: string, name: string): Promise<Partial<KeyPair>> {
  const { certFile, keyFile } = certificateFiles(dir, name);
  const [certPem, keyPem] = await Promise.all([readIfThere(certFile), readIfThere(keyFile)]);
  return { ...(certPem === undefined ? {} : { certPem }), ...(keyPem === undefined ? {} : { keyPem }) };
}

/** Who must have issued a leaf; or, where the certificate of its authority is not at hand, who must not have. */
export type IssuerRule = { by: X509Certificate } | { notBy: X509Certificate };

/**
 * Why a leaf must be made again; undefined when it is fit. Cheap enough (about 0.3 ms) for every start: it uses what Node
 * has built in, not the library that makes certificates.
 */
export function leafFault(
  { certPem, keyPem }: Partial<KeyPair>,
  spec: CertificateSpec,
  issuer: IssuerRule,
  now: Date,
): string | undefined {
  if (certPem === undefined || keyPem === undefined) return 'missing';
  const certificate = parseFitting(certPem, keyPem);
  if (certificate === undefined) return 'its key does not fit it';
  if ('by' in issuer ? !isIssuedBy(certificate, issuer.by) : isIssuedBy(certificate, issuer.notBy)) {
    return `${spec.authority} did not issue it`;
  }
  const { start, end } = validity(certificate);
  if (start > now.getTime()) return 'not valid yet';
  if (renewalTime(certificate) < now.getTime()) return `expires ${new Date(end).toISOString().slice(0, 10)}`;
  if (spec.chain && certPem.split('-----BEGIN CERTIFICATE').length < 3)
    return 'without the certificate of its authority';
  return isFor(certificate, spec) ? undefined : 'made for other names or another usage';
}

/** The certificate of an authority, or undefined if neither half of the pair exists. Throws when it cannot be used. */
export function inspectAuthority(
  dir: string,
  name: string,
  { certPem, keyPem }: Partial<KeyPair>,
  now: Date,
): X509Certificate | undefined {
  if (certPem === undefined && keyPem === undefined) return undefined;
  const { certFile: crt, keyFile: key } = certificateFiles(dir, name);
  if (certPem === undefined) throw lost(crt, `${key} is there without its certificate ${crt}`);
  if (keyPem === undefined) throw lost(key, `${crt} is there without its key ${key}`);
  const certificate = parseFitting(certPem, keyPem);
  if (certificate === undefined)
    throw lost(`${crt} and ${key}`, `${crt} and ${key} are not a certificate and its key`);
  const { start, end } = validity(certificate);
  if (start > now.getTime() || end <= now.getTime()) {
    const period = `${new Date(start).toISOString()} to ${new Date(end).toISOString()}`;
    throw new U7sError(
      'authority-not-valid',
      `${crt} is valid from ${period}, and it is ${now.toISOString()}`,
      {
        fixes: [
          'set the clock of this host, if it is wrong',
          u7s(['cleanup'], { text: 'if the clock is right, remove the cluster and start a new one' }),
        ],
      },
    );
  }
  return certificate;
}

/** The error about a file that cannot be made again without breaking what the cluster has stored or issued. */
export function lost(file: string, message: string): U7sError {
  return new U7sError('pki-damaged', message, {
    fixes: [
      `restore ${file} from a backup`,
      u7s(['cleanup'], { text: 'if there is no backup, remove the cluster and start a new one' }),
    ],
  });
}

/** When each certificate in `dir` expires: from its name, without `.crt`, to an ISO 8601 time. Empty without a folder. */
export async function certificateExpiries(dir: string): Promise<Record<string, string>> {
  const files = await readdir(dir).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  });
  const certificates = files.filter((file) => file.endsWith('.crt')).sort();
  return Object.fromEntries(
    await Promise.all(
      certificates.map(async (file): Promise<[string, string]> => {
        const { end } = validity(new X509Certificate(await readFile(join(dir, file))));
        return [file.slice(0, -'.crt'.length), new Date(end).toISOString()];
      }),
    ),
  );
}

/** Start and end in milliseconds since the epoch. */
export function validity(certificate: X509Certificate): { start: number; end: number } {
  return { start: Date.parse(certificate.validFrom), end: Date.parse(certificate.validTo) };
}

function parseFitting(certPem: string, keyPem: string): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(certPem);
    return certificate.checkPrivateKey(createPrivateKey(keyPem)) ? certificate : undefined;
  } catch {
    return undefined; // one of them is not PEM but a torn or foreign file
  }
}

function isIssuedBy(certificate: X509Certificate, authority: X509Certificate): boolean {
  return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
}

function isFor(
  certificate: X509Certificate,
  { commonName, organization, usage, hosts }: CertificateSpec,
): boolean {
  const subject = [...(organization === undefined ? [] : [`O=${organization}`]), `CN=${commonName}`].join(
    '\n',
  );
  const names = certificate.subjectAltName?.split(', ') ?? [];
  return (
    certificate.subject === subject &&
    // Node calls the extended key usages keyUsage.
    sameItems(certificate.keyUsage ?? [], usageOids[usage]) &&
    names.length === hosts.length &&
    hosts.every((host) =>
      isIP(host) === 0
        ? certificate.checkHost(host, { subject: 'never', wildcards: false }) !== undefined
        : certificate.checkIP(host) !== undefined,
    )
  );
}

function sameItems(a: string[], b: string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
