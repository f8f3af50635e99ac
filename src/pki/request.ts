import { webcrypto } from 'node:crypto';
import { algorithm, alternativeNames, signingAlgorithm } from './ca.js';
import type { CertificateSpec } from './certificates.js';
import { x509 } from './x509.js';

/** What a certificate signing request asks for. */
export type Requested = {
  /** Every attribute of the subject: `['O=system:nodes', 'CN=system:node:a']`. */
  subject: string[];
  /** Subject alternative names. */
  dns: string[];
  ips: string[];
  /** How many there are of other kinds, and how much else is asked for. */
  otherNames: number;
};

/** Makes a key and a request (PKCS#10) for `spec`, signed with it; both PEM. The key is not sent anywhere. */
export async function createRequest(spec: CertificateSpec): Promise<{ requestPem: string; keyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [
      ...(spec.organization === undefined ? [] : [{ O: [spec.organization] }]),
      { CN: [spec.commonName] },
    ],
    keys,
    signingAlgorithm,
    extensions: spec.hosts.length === 0 ? [] : [alternativeNames(spec.hosts)],
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const lines = der.match(/.{1,64}/g) ?? [];
  return {
    requestPem: `${request.toString('pem')}\n`,
    keyPem: `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`,
  };
}

const subjectAltName = '2.5.29.17';
const extensionRequest = '1.2.840.113549.1.9.14';

/**
 * Throws if `pem` is not a request. Others that read it afterwards must find the same in it: so it is one block of PEM and
 * nothing else, and whatever they may find in another place is counted among `otherNames`.
 */
export function readRequest(pem: string): Requested {
  const request = new x509.Pkcs10CertificateRequest(derOf(pem));
  const [attribute, ...attributes] = request.attributes;
  const [extension, ...extensions] = request.extensions;
  const isKnown =
    (attribute === undefined || (attribute.type === extensionRequest && attribute.values.length === 1)) &&
    (extension === undefined || extension.type === subjectAltName);
  const names =
    isKnown && extension !== undefined
      ? new x509.SubjectAlternativeNameExtension(extension.rawData).names.toJSON()
      : [];
  const of = (kind: string): string[] => names.flatMap(({ type, value }) => (type === kind ? [value] : []));
  const [dns, ips] = [of('dns'), of('ip')];
  const others = names.length - dns.length - ips.length + attributes.length + extensions.length;
  return {
    subject: request.subjectName
      .toJSON()
      .flatMap((part) =>
        Object.entries(part).flatMap(([key, values]) => values.map((value) => `${key}=${value}`)),
      ),
    dns,
    ips,
    otherNames: isKnown ? others : others + 1,
  };
}

function derOf(pem: string): Buffer {
  const [, base64] =
    /^-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE REQUEST-----\s*$/.exec(
      pem,
    ) ?? [];
  if (base64 === undefined) throw new Error('not one certificate signing request in PEM');
  return Buffer.from(base64, 'base64');
}
