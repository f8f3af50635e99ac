import { Argument, Option, type Command } from 'commander';
import { artifactNames, catalog, type ArtifactName } from '../../artifacts/catalog.js';
import type { ArtifactContext, ListedArtifact } from '../../artifacts/resolve.js';
import { defaultCluster } from '../../settings/paths.js';
import { U7sError } from '../../lib/errors.js';
import type { Cli, DefineCommand } from '../command.js';
import { globalOptions } from '../globals.js';
import { defaultPreset } from '../../settings/default-preset.js';
import { addExamples } from '../help.js';

type Way = ArtifactContext['way'];

export const defineArtifacts: DefineCommand = (program, cli) => {
  const artifacts = program
    .command('artifacts')
    .description('Get, list and check the binaries a node is made of');

  artifacts
    .command('list')
    .description('Show each binary, where it is and which way it came')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action((options: { output?: 'json' }) => list(cli, options));

  artifacts
    .command('fetch')
    .description(
      'Get artifacts that are missing: download, else build, else the host’s own (all that a node needs)',
    )
    .addArgument(createNames())
    .addOption(
      new Option('--artifacts <way>', 'force one way (default: $U7S_ARTIFACTS, or "auto")')
        .choices(['auto', 'download', 'build', 'host'])
        .env('U7S_ARTIFACTS'),
    )
    .option('--preset <name>', 'all that a cluster of this preset needs', defaultPreset)
    .action(async (names: ArtifactName[], options: { artifacts?: Way; preset: string }, self: Command) => {
      const [{ artifactsOf }, { resolveSettings }] = await Promise.all([
        import('../../plan/plan.js'),
        import('../../settings/resolve.js'),
      ]);
      const wanted =
        names.length > 0
          ? names
          : artifactsOf(await resolveSettings(cli, defaultCluster, options.preset, {}));
      await ensure(cli, self, wanted, options.artifacts ?? 'auto');
    });

  artifacts
    .command('build')
    .description('Build artifacts from their Go modules (all that can be)')
    .addArgument(createNames())
    .action((names: ArtifactName[], _options: unknown, self: Command) =>
      ensure(
        cli,
        self,
        names.length > 0 ? names : artifactNames.filter((name) => catalog[name].build),
        'build',
      ),
    );

  artifacts
    .command('verify')
    .description('Hash what is installed again; exits 1 when a file is not what was installed')
    .addArgument(createNames())
    .action((names: ArtifactName[]) => verify(cli, names));

  addExamples(artifacts, [
    ['u7s artifacts list', 'every binary, its version, its way and its path'],
    ['u7s artifacts fetch', 'get all that a node needs, before the first start'],
    ['u7s artifacts fetch --artifacts=download etcd', 'only by download'],
    ['u7s artifacts verify', 'check the installed files'],
  ]);
};

function createNames(): Argument {
  return new Argument('[name...]', 'artifacts').choices(artifactNames);
}

async function list(cli: Cli, options: { output?: 'json' }): Promise<void> {
  const [{ listArtifacts }, { artifactContext }, { renderTable }] = await Promise.all([
    import('../../artifacts/resolve.js'),
    import('../../instance/artifact-context.js'),
    import('../../ui/table.js'),
  ]);
  const listed = await listArtifacts(await artifactContext(cli, {}));
  if (options.output === 'json') {
    cli.io.stdout.write(`${JSON.stringify(listed, null, 2)}\n`);
  } else {
    cli.io.stdout.write(
      renderTable(['artifact', 'version', 'way', 'binary', 'path'], listed.flatMap(rowsOf)),
    );
  }
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

async function ensure(cli: Cli, self: Command, names: readonly ArtifactName[], way: Way): Promise<void> {
  const [{ ensureArtifacts }, { artifactContext }, { createReporter }, { renderTable }] = await Promise.all([
    import('../../artifacts/resolve.js'),
    import('../../instance/artifact-context.js'),
    import('../../ui/reporter.js'),
    import('../../ui/table.js'),
  ]);
  const globals = globalOptions(cli, self);
  const { report, close } = createReporter(cli.io, { ...globals, mode: globals.progress });
  try {
    const resolved = await ensureArtifacts(names, await artifactContext(cli, { artifacts: way, report }));
    close();
    const rows = [...resolved.values()].map(({ name, version, way: taken, cached, directory }) => [
      name,
      version,
      taken,
      cached ? 'was here' : 'new',
      directory,
    ]);
    cli.io.stdout.write(renderTable(['artifact', 'version', 'way', 'state', 'path'], rows));
  } finally {
    close();
  }
}

async function verify(cli: Cli, names: readonly ArtifactName[]): Promise<void> {
  const [{ verifyArtifacts }, { artifactContext }, { renderTable }] = await Promise.all([
    import('../../artifacts/resolve.js'),
    import('../../instance/artifact-context.js'),
    import('../../ui/table.js'),
  ]);
  const all = await verifyArtifacts(await artifactContext(cli, {}));
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
  throw new U7sError('todo', `${bad.length} of ${files.length} installed files are not what was installed`, {
    fixes: [`rm -r ${directories.join(' ')} && u7s artifacts fetch ${again.join(' ')}`],
  });
}
