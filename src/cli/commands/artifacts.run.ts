import type { Command } from 'commander';
import type { ArtifactName } from '../../artifacts/artifact.js';
import { artifactNames, catalog } from '../../artifacts/catalog.js';
import type { ArtifactContext } from '../../artifacts/context.js';
import {
  ensureArtifacts,
  listArtifacts,
  verifyArtifacts,
  type ListedArtifact,
} from '../../artifacts/resolve.js';
import { artifactContext } from '../../instance/artifact-context.js';
import { U7sError } from '../../lib/errors.js';
import { u7s } from '../../lib/fixes.js';
import { artifactsOf } from '../../plan/artifacts.js';
import { resolveSettings } from '../../settings/resolve.js';
import { renderTable } from '../../ui/table.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';

export type FetchFlags = { artifacts?: ArtifactContext['way']; preset: string };

export function list(cli: Cli, command: Command, output: 'json' | undefined): Promise<void> {
  return withInstance(cli, command, async (context) => {
    const listed = await listArtifacts(artifactContext(context));
    cli.io.stdout.write(
      output === 'json'
        ? `${JSON.stringify(listed, null, 2)}\n`
        : renderTable(['artifact', 'version', 'way', 'binary', 'path'], listed.flatMap(rowsOf)),
    );
  });
}

function rowsOf({ name, version, way, binaries }: ListedArtifact): string[][] {
  return catalog[name].binaries.map((binary) => [
    name,
    version,
    way ?? '-',
    binary,
    binaries[binary] ?? '<missing>',
  ]);
}

export async function fetch(
  cli: Cli,
  command: Command,
  names: readonly ArtifactName[],
  { artifacts = 'auto', preset }: FetchFlags,
): Promise<void> {
  const needed = async (): Promise<ArtifactName[]> => {
    const { io, projectRoot } = cli;
    return artifactsOf(await resolveSettings({ preset, projectRoot, env: io.env }));
  };
  await ensure(cli, command, names.length > 0 ? names : await needed(), artifacts);
}

export async function build(cli: Cli, command: Command, names: readonly ArtifactName[]): Promise<void> {
  const buildable = artifactNames.filter((name) => catalog[name].build);
  await ensure(cli, command, names.length > 0 ? names : buildable, 'build');
}

async function ensure(
  cli: Cli,
  command: Command,
  names: readonly ArtifactName[],
  way: ArtifactContext['way'],
): Promise<void> {
  const resolved = await withInstance(cli, command, (context) =>
    ensureArtifacts(names, artifactContext(context, { artifacts: way })),
  );
  const rows = [...resolved.values()].map(({ name, version, way: taken, cached, directory }) => [
    name,
    version,
    taken,
    cached ? 'was here' : 'new',
    directory,
  ]);
  cli.io.stdout.write(renderTable(['artifact', 'version', 'way', 'state', 'path'], rows));
}

export async function verify(cli: Cli, command: Command, names: readonly ArtifactName[]): Promise<void> {
  const all = await withInstance(cli, command, (context) => verifyArtifacts(artifactContext(context)));
  const files = all.filter(({ name }) => names.length === 0 || names.includes(name));
  cli.io.stdout.write(
    renderTable(
      ['artifact', 'way', 'state', 'path'],
      files.map(({ name, way, state, path }) => [name, way, state, path]),
    ),
  );
  const bad = files.filter(({ state }) => state !== 'ok');
  if (bad.length === 0) return;
  const directories = [...new Set(bad.map(({ directory }) => directory))];
  const again = [...new Set(bad.map(({ name }) => name))];
  throw new U7sError(
    'artifact-changed',
    `${bad.length} of ${files.length} installed files are not what was installed`,
    {
      fixes: [
        `remove them: rm -r ${directories.join(' ')}`,
        u7s(['artifacts', 'fetch', ...again], { text: 'then get them again' }),
      ],
    },
  );
}
