import { readFile } from 'node:fs/promises';
import { ownAddress } from '../host/own-address.js';
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
  const [{ readRemembered }, { createToken }, { caHash }] = await Promise.all([
    import('../settings/remembered.js'),
    import('../membership/tokens.js'),
    import('../kube/discovery.js'),
  ]);
  const client = await adminClient(cli, paths);
  try {
    const { hostIp, apiPort } = (await readRemembered(paths.remembered))?.settled ?? {};
    if (hostIp === undefined) {
      throw new U7sError('todo', 'this cluster is one node alone: other hosts cannot reach it', {
        fixes: [
          `start it again with an address of this host that they reach (its data stays):\nu7s down && u7s up -d --host-ip ${ownAddress() ?? 'ADDRESS'}`,
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
