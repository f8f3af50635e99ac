import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../lib/atomic-file.js';
import type { AuthorityName } from './certificates.js';

/** The certificate and the key of one name in a folder of the PKI. */
export type CertificateFiles = { certFile: string; keyFile: string };

/** A folder to write to, and whether each file has to survive a power cut by itself: not while it is being prepared. */
export type Target = { folder: string; durable: boolean };

/** What a client of the API needs: its own certificate and key, and the authority that it trusts. */
export type IdentityFiles = CertificateFiles & { caFile: string };

export function certificateFiles(folder: string, name: string): CertificateFiles {
  return { certFile: join(folder, `${name}.crt`), keyFile: join(folder, `${name}.key`) };
}

/** The certificate of an authority: by default of that which has issued all identities of the cluster's API. */
export function authorityFile(folder: string, name: AuthorityName = 'ca'): string {
  return certificateFiles(folder, name).certFile;
}

export function identityFiles(folder: string, name: string): IdentityFiles {
  return { caFile: authorityFile(folder), ...certificateFiles(folder, name) };
}

/** The key comes first, so that a certificate that stands there has its key. */
export async function writePair(
  { folder, durable }: Target,
  name: string,
  { certPem, keyPem }: { certPem: string; keyPem: string },
): Promise<void> {
  const { certFile, keyFile } = certificateFiles(folder, name);
  await writeFileAtomic(keyFile, keyPem, { durable });
  await writeFileAtomic(certFile, certPem, { durable });
}

export async function readIdentityFiles({
  caFile,
  certFile,
  keyFile,
}: IdentityFiles): Promise<{ caPem: string; certPem: string; keyPem: string }> {
  const read = (file: string): Promise<string> => readFile(file, 'utf8');
  const [caPem, certPem, keyPem] = await Promise.all([read(caFile), read(certFile), read(keyFile)]);
  return { caPem, certPem, keyPem };
}
