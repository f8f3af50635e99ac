import { readFile } from 'node:fs/promises';
import { ownAddress } from '../host/own-address.js';
import { caHash } from '../kube/discovery.js';
import { U7sError } from '../lib/errors.js';
import { formatJoinLine } from '../membership/join-line.js';
import { createToken } from '../membership/tokens.js';
import { authorityFile } from '../pki/identity.js';
import { readRemembered } from '../settings/remembered.js';
import { asAdmin } from './admin-client.js';
import type { InstanceContext } from './context.js';

export type JoinCommandRequest = {
  /** Milliseconds for which the line is valid. */
  ttl: number;
  /** Whether it admits more than one node. */
  reusable: boolean;
};

/** Makes a token, and the line by which another host joins with it. */
export function joinCommand(
  context: InstanceContext,
  { ttl, reusable }: JoinCommandRequest,
): Promise<string> {
  const { name, paths, signal } = context;
  return asAdmin(context, async (client) => {
    const { hostIp, apiPort } = (await readRemembered(paths.remembered)) ?? {};
    if (hostIp === undefined) {
      throw new U7sError('one-node-only', `cluster ${name} is a single node: other hosts cannot reach it`, {
        fixes: [
          {
            text: 'start it again with an address of this host that they reach (its data stays)',
            commands: [['down'], ['up', '-d', '--host-ip', ownAddress() ?? 'ADDRESS']],
          },
        ],
      });
    }
    const token = await createToken(client, { ttlMs: ttl, reusable }, signal);
    const hash = caHash(await readFile(authorityFile(paths.pki), 'utf8'));
    return formatJoinLine({ endpoint: `${hostIp}:${apiPort}`, token, caHash: hash });
  });
}
