import type { Command } from 'commander';
import { revokeTokens, tokens } from '../../instance/tokens.js';
import { renderTable } from '../../ui/table.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export function list(cli: Cli, command: Command, output: 'json' | undefined): Promise<void> {
  return withInstance(cli, command, async (context) => {
    const found = await tokens(context);
    const rows = found.map(({ id, expires = 'never', reusable }) => [
      id,
      expires,
      reusable ? 'any number' : 'one node',
    ]);
    cli.io.stdout.write(
      output === 'json'
        ? `${JSON.stringify(found, null, 2)}\n`
        : renderTable(['token', 'expires', 'admits'], rows),
    );
  });
}

export function revoke(cli: Cli, command: Command, words: readonly string[]): Promise<void> {
  return withInstance(cli, command, (context) =>
    revokeTokens(context, words, (id) => void cli.io.stdout.write(`token ${id} revoked\n`)),
  );
}
