import { readIdentityFiles, type IdentityFiles } from '../pki/identity.js';
import { createKubeClient, type KubeClient } from './client.js';

/** Where an API server is, and the identity that a client presents to it. */
export type ApiAccess = IdentityFiles & { server: string };

/** A client with the identity whose files are named. */
export async function connect({ server, ...files }: ApiAccess): Promise<KubeClient> {
  const { caPem, certPem, keyPem } = await readIdentityFiles(files);
  return createKubeClient({ server, ca: caPem, cert: certPem, key: keyPem });
}
