import { Option } from 'commander';
import type { DefineCommand } from '../command.js';
import { selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

export const defineToken: DefineCommand = (program, cli) => {
  const token = program.command('token').description('List and revoke the tokens by which nodes may join');
  const list = token
    .command('list')
    .description('show which are good, and for how long; never their secret')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action(async ({ output }: { output?: 'json' }) => {
      const [{ adminClient }, { listTokens }] = await parts();
      const client = await adminClient(cli, await selectedPaths(cli, list));
      const tokens = await listTokens(client, cli.signal);
      client.close();
      cli.io.stdout.write(output === 'json' ? `${JSON.stringify(tokens, null, 2)}\n` : await table(tokens));
    });
  const revoke = token
    .command('revoke')
    .description('let nobody join by it any more; nodes that have joined stay')
    .argument('<tokens...>', 'each a whole token, or its part before the dot')
    .action(async (words: string[]) => {
      const [{ adminClient }, { revokeToken }] = await parts();
      const client = await adminClient(cli, await selectedPaths(cli, revoke));
      for (const word of words) {
        cli.io.stdout.write(`token ${await revokeToken(client, word, cli.signal)} revoked\n`);
      }
      client.close();
    });
  addExamples(token, [
    ['u7s token list', 'which tokens there are'],
    ['u7s token revoke abcdef', 'end one of them'],
  ]);
};

const parts = () =>
  Promise.all([import('../../instance/admin-client.js'), import('../../membership/tokens.js')] as const);

type Tokens = Awaited<ReturnType<Awaited<ReturnType<typeof parts>>[1]['listTokens']>>;

async function table(tokens: Tokens): Promise<string> {
  const { renderTable } = await import('../../ui/table.js');
  return renderTable(
    ['token', 'expires', 'admits'],
    tokens.map(({ id, expires = 'never', reusable }) => [id, expires, reusable ? 'any number' : 'one node']),
  );
}
