import { createAuthority, issueCertificate, type Issuer } from '#src/pki/ca.js';
import { authorities, type CertificateSpec } from '#src/pki/certificates.js';
import type { Keys } from './ground.js';

let authority: Promise<Issuer> | undefined;

/** A client certificate by an authority of the attacker's, which has the name of the cluster's. */
export async function foreignKeys(subject: { commonName: string; organization?: string }): Promise<Keys> {
  const now = new Date();
  authority ??= createAuthority(authorities.ca, now).then(({ issuer }) => issuer);
  const spec: CertificateSpec = { name: 'forged', authority: 'ca', usage: 'client', hosts: [], ...subject };
  const { certPem, keyPem } = await issueCertificate(spec, await authority, now);
  return { cert: certPem, key: keyPem };
}
