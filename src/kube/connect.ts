import { readFile } from 'node:fs/promises';
import { createKubeClient, type KubeClient } from './client.js';

/** Where an API server is, and by which certificate it is spoken to. */
export type ApiAccess = { server: string; caFile: string; certFile: string; keyFile: string };

/** A client with the identity whose files are named. */
export async function connect(api: ApiAccess): Promise<KubeClient> {
  const [ca, cert, key] = await Promise.all(
    [api.caFile, api.certFile, api.keyFile].map((file) => readFile(file, 'utf8')),
  );
  return createKubeClient({ server: api.server, ca: ca ?? '', cert: cert ?? '', key: key ?? '' });
}
