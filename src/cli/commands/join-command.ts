import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { U7sError } from '../../lib/errors.js';
import type { DefineCommand } from '../command.js';
import { selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';
import { duration } from '../option-values.js';

export const defineJoinCommand: DefineCommand = (program, cli) => {
  const command = program
    .command('join-command')
    .description('Print the line that makes another host a node of this cluster')
    .option('--ttl <duration>', 'how long it is good for, as 90s, 30m or 24h', duration, 24 * 3_600_000)
    .option('--reusable', 'any number of nodes may join by it; otherwise one')
    .action(async ({ ttl, reusable = false }: { ttl: number; reusable?: boolean }) => {
      const paths = await selectedPaths(cli, command);
      const [{ adminClient }, { readIdentity }, { createToken }, { caHash }] = await Promise.all([
        import('../admin-client.js'),
        import('../../cluster/identity.js'),
        import('../../cluster/bootstrap-tokens.js'),
        import('../../kube/discovery.js'),
      ]);
      const client = await adminClient(cli, paths);
      const { hostIp, apiPort } = (await readIdentity(paths.identity))?.settled ?? {};
      if (hostIp === undefined) {
        throw new U7sError('this cluster is one node alone: other hosts cannot reach it', {
          fix: `start it again with an address of this host that they reach (its data stays):\nu7s down && u7s up -d --host-ip ${await example()}`,
        });
      }
      const token = await createToken(client, { ttlMs: ttl, reusable }, cli.signal);
      client.close();
      const hash = caHash(await readFile(join(paths.pki, 'ca.crt'), 'utf8'));
      cli.io.stdout.write(
        `u7s join ${hostIp}:${apiPort} --token ${token} --discovery-token-ca-cert-hash ${hash}\n`,
      );
      cli.io.stderr.write('to be typed on the other host; where u7s is not on the PATH it is bin/u7s.js\n');
    });
  addExamples(command, [
    ['u7s join-command', 'for one node, within a day'],
    ['u7s join-command --ttl 15m --reusable', 'for any number of nodes, within a quarter of an hour'],
  ]);
};

/** An address of this host that is worth a try. */
async function example(): Promise<string> {
  const { networkInterfaces } = await import('node:os');
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? 'ADDRESS';
}
