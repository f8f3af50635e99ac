import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { compressTo, formatOf, writeArchive } from '../../bundle/archive.js';
import { createBundle, programArchive } from '../../instance/bundle.js';
import { architecture, type Architecture } from '../../lib/architecture.js';
import { U7sError } from '../../lib/errors.js';
import { defaultPreset } from '../../settings/default-preset.js';
import { rootActs } from '../as-root/belongs.js';
import type { Cli } from '../command.js';
import { globalOptions } from '../globals.js';
import { withInstance } from '../instance.js';
import { ownVersion } from '../own-version.js';

export type BundleFlags = { arch?: string; preset?: string[]; nodeAtHand?: true; programs?: true };

export async function create(
  cli: Cli,
  command: Command,
  { output, level, ...flags }: BundleFlags & { output: string; level?: number },
): Promise<void> {
  const file = resolve(cli.io.cwd, output);
  const format = formatOf(file);
  const options = { level, signal: cli.signal };
  // The programs are the account's, and the file is to be root's.
  if (rootActs(cli.io.env)) await writeArchive(fromAccount(cli, command, flags), file, format, options);
  else
    await withInstance(cli, command, async (context) =>
      writeArchive(await archiveOf(cli, context, flags), file, format, options),
    );
  const { size } = await stat(file);
  cli.io.stdout.write(`${output} ${(size / 1e6).toFixed(0)} MB\n`);
}

export async function toStdout(cli: Cli, command: Command, flags: BundleFlags): Promise<void> {
  await withInstance(cli, command, async (context) =>
    compressTo(await archiveOf(cli, context, flags), process.stdout, 'tar', { signal: cli.signal }),
  );
}

type Context = Parameters<typeof createBundle>[0];

function archiveOf(cli: Cli, context: Context, flags: BundleFlags): Promise<AsyncIterable<Buffer>> {
  const presets = flags.preset ?? [defaultPreset];
  if (flags.programs) return programArchive(context, presets);
  return createBundle(context, {
    arch: architectureNamed(flags.arch),
    presets,
    version: ownVersion(cli.projectRoot),
    nodeAtHand: flags.nodeAtHand ?? false,
  });
}

function architectureNamed(name: string | undefined): Architecture {
  if (name === undefined) return architecture();
  return name === 'amd64' || name === 'x86_64' ? 'amd64' : 'arm64';
}

async function* fromAccount(cli: Cli, command: Command, flags: BundleFlags): AsyncGenerator<Buffer> {
  const { quiet, verbose, progress } = globalOptions(cli, command);
  const args = [
    ...[join(cli.projectRoot, 'bin/u7s.js'), 'bundle-to-stdout', '--progress', progress],
    ...(quiet ? ['--quiet'] : []),
    ...(verbose ? ['--verbose'] : []),
    ...(flags.arch === undefined ? [] : ['--arch', flags.arch]),
    ...(flags.preset ?? []).flatMap((preset) => ['--preset', preset]),
    ...(flags.nodeAtHand ? ['--node-at-hand'] : []),
    ...(flags.programs ? ['--programs'] : []),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: cli.io.env });
  const ended = once(child, 'close') as Promise<[number | null]>;
  for await (const bytes of child.stdout) yield bytes as Buffer;
  const [code] = await ended;
  if (code !== 0) throw new U7sError('program-failed', 'the bundle could not be made; see above');
}
