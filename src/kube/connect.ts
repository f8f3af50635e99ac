import { stat } from 'node:fs/promises';
import { readIdentityFiles, type IdentityFiles } from '../pki/identity.js';
import { createKubeClient, type KubeClient } from './client.js';

/** Where an API server is, and the identity that a client presents to it. */
export type ApiAccess = IdentityFiles & { server: string };

/** How long a certificate that was replaced is still presented, at most. */
const lookAgainMs = 60_000;

/** A client with the identity whose files are named. It takes a renewed certificate from there. */
export async function connect(access: ApiAccess): Promise<KubeClient> {
  let { version, client } = await open(access);
  let lookedAt = performance.now();

  async function current(): Promise<KubeClient> {
    if (performance.now() - lookedAt < lookAgainMs) return client;
    lookedAt = performance.now();
    // Files that cannot be read, or do not fit each other yet, are looked at again later.
    if ((await versionOf(access).catch(() => version)) === version) return client;
    const next = await open(access).catch(() => undefined);
    if (next === undefined) return client;
    // Watches of the old one end by themselves within minutes.
    ({ version, client } = next);
    return client;
  }

  return {
    request: async (...args) => (await current()).request(...args),
    get: async (...args) => (await current()).get(...args),
    apply: async (...args) => (await current()).apply(...args),
    watch: async function* (...args) {
      yield* (await current()).watch(...args);
    },
    close: () => client.close(),
  };
}

/** Gives `work` a client that is closed when it is done. */
export async function withClient<T>(access: ApiAccess, work: (client: KubeClient) => Promise<T>): Promise<T> {
  const client = await connect(access);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

async function open(access: ApiAccess): Promise<{ version: number; client: KubeClient }> {
  const { server, ...files } = access;
  const version = await versionOf(access);
  const { caPem, certPem, keyPem } = await readIdentityFiles(files);
  return { version, client: createKubeClient({ server, ca: caPem, cert: certPem, key: keyPem }) };
}

async function versionOf({ certFile }: ApiAccess): Promise<number> {
  return (await stat(certFile)).mtimeMs;
}
