import type { Command } from 'commander';
import { listRegistries, logIn, logOut } from '../../instance/registry-login.js';
import { renderTable } from '../../ui/table.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';
import { secretInput } from '../secret-input.js';

export async function login(cli: Cli, command: Command, server: string, username: string): Promise<void> {
  const password = await secretInput(cli.io, `password of ${username} at ${server}: `);
  cli.signal.throwIfAborted();
  const registry = await withInstance(cli, command, (context) =>
    logIn(context, server, { username, password }),
  );
  cli.io.stdout.write(`logged in to ${registry} as ${username}: pods can use it within seconds\n`);
}

export async function logout(cli: Cli, command: Command, server: string): Promise<void> {
  const { registry, was } = await withInstance(cli, command, (context) => logOut(context, server));
  cli.io.stdout.write(was ? `logged out of ${registry}\n` : `there was no login to ${registry}\n`);
}

export async function list(cli: Cli, command: Command, output: 'json' | undefined): Promise<void> {
  const known = await withInstance(cli, command, listRegistries, { progress: 'plain' });
  const rows = known.map(({ registry, user = '', mirrors, ca, insecure }) => [
    registry,
    user,
    mirrors.join(','),
    insecure ? 'insecure' : ca.join(','),
  ]);
  cli.io.stdout.write(
    output === 'json'
      ? `${JSON.stringify(known, null, 2)}\n`
      : renderTable(['registry', 'user', 'mirrors', 'certificates'], rows),
  );
}
