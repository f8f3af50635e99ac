import type { X509Certificate } from 'node:crypto';
import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import type { Issuer } from './ca.js';
import type { AuthorityName, CertificateSpec } from './certificates.js';
import { writePair } from './identity.js';
import { inspectAuthority, leafFault, readPair } from './inspect.js';

/**
 * Renews those of `table` that are due or no longer fit, by the authorities in `dir`, which a cluster that runs has. Returns
 * their names.
 */
export async function renewLeaves(
  dir: string,
  table: readonly CertificateSpec[],
  now = new Date(),
): Promise<string[]> {
  const authorities = new Map<AuthorityName, Promise<X509Certificate>>();
  const authorityOf = (name: AuthorityName): Promise<X509Certificate> => {
    const known = authorities.get(name) ?? readAuthority(dir, name, now);
    authorities.set(name, known);
    return known;
  };
  const faults = await Promise.all(
    table.map(async (spec) =>
      leafFault(await readPair(dir, spec.name), spec, { by: await authorityOf(spec.authority) }, now),
    ),
  );
  const unfit = table.filter((_, index) => faults[index] !== undefined);
  if (unfit.length === 0) return [];
  const { issueCertificate, loadIssuer } = await import('./ca.js');
  const issuers = new Map<AuthorityName, Issuer>();
  for (const spec of unfit) {
    const issuer = issuers.get(spec.authority) ?? (await loadIssuer(await keysOf(dir, spec.authority)));
    issuers.set(spec.authority, issuer);
    await writePair({ folder: dir, durable: true }, spec.name, await issueCertificate(spec, issuer, now));
  }
  return unfit.map(({ name }) => name);
}

async function readAuthority(dir: string, name: AuthorityName, now: Date): Promise<X509Certificate> {
  const certificate = inspectAuthority(dir, name, await readPair(dir, name), now);
  if (certificate === undefined) throw gone(dir, name);
  return certificate;
}

async function keysOf(dir: string, name: AuthorityName): Promise<{ certPem: string; keyPem: string }> {
  const { certPem, keyPem } = await readPair(dir, name);
  if (certPem === undefined || keyPem === undefined) throw gone(dir, name);
  return { certPem, keyPem };
}

function gone(dir: string, name: AuthorityName): U7sError {
  return new U7sError('pki-damaged', `the authority ${name} is no longer in ${dir}`, {
    fixes: [
      'restore it from a backup',
      u7s(['cleanup'], { text: 'if there is no backup, remove the cluster and start a new one' }),
    ],
  });
}
