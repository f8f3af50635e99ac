import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { selfUpdate } from '../../instance/self-update.js';
import { UsageError } from '../../lib/errors.js';
import type { Cli } from '../command.js';

export type SelfUpdateFlags = { from?: string; sha256?: string; rollback?: true };

export async function run(cli: Cli, { from, sha256, rollback }: SelfUpdateFlags): Promise<void> {
  if ((from === undefined) === (rollback === undefined))
    throw new UsageError(
      'update-source',
      'an update comes from one place',
      'give --from FILE or URL, or --rollback',
    );
  const { io, projectRoot } = cli;
  const file = from === undefined ? '' : resolve(io.cwd, from);
  cli.exitCode = await selfUpdate(
    { projectRoot, env: io.env },
    from === undefined
      ? 'previous'
      : { from: existsSync(file) ? file : from, ...(sha256 === undefined ? {} : { sha256 }) },
  );
}
