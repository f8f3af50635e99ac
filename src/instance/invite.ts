import { readFile } from 'node:fs/promises';
import type { Paths } from '../settings/paths.js';
import { U7sError } from '../lib/errors.js';
import { adminClient } from './admin-client.js';
import type { Cli } from '../cli/command.js';
import { authorityFile } from '../pki/identity.js';
import { formatJoinLine } from '../membership/join-line.js';

/** Makes a token that is good for `ttl` milliseconds, and the line by which another host joins with it. */
export async function invite(
  cli: Cli,
  paths: Paths,
  { ttl, reusable }: { ttl: number; reusable: boolean },
): Promise<string> {
  const [{ readIdentity }, { createToken }, { caHash }] = await Promise.all([
    import('../settings/remembered.js'),
    import('../membership/tokens.js'),
    import('../kube/discovery.js'),
  ]);
  const client = await adminClient(cli, paths);
  try {
    const { hostIp, apiPort } = (await readIdentity(paths.identity))?.settled ?? {};
    if (hostIp === undefined) {
      throw new U7sError('todo', 'this cluster is one node alone: other hosts cannot reach it', {
        fixes: [
          `start it again with an address of this host that they reach (its data stays):\nu7s down && u7s up -d --host-ip ${(await ownAddress()) ?? 'ADDRESS'}`,
        ],
      });
    }
    const token = await createToken(client, { ttlMs: ttl, reusable }, cli.signal);
    const hash = caHash(await readFile(authorityFile(paths.pki), 'utf8'));
    return formatJoinLine({ endpoint: `${hostIp}:${apiPort}`, token, caHash: hash });
  } finally {
    client.close();
  }
}

/** The first address of this host that others may reach it by. */
export async function ownAddress(): Promise<string | undefined> {
  const { networkInterfaces } = await import('node:os');
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
}
