import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Option } from 'commander';
import type { Command } from 'commander';
import { U7sError, UsageError } from '../../lib/errors.js';
import { architecture } from '../../lib/architecture.js';
import type { Node } from '../../images/node-images.js';
import type { Cli, DefineCommand } from '../command.js';
import { selectedPaths } from '../globals.js';
import { addExamples } from '../help.js';

type BuildOptions = {
  name: string;
  file: string[];
  entrypoint: string[];
  cmd: string[];
  env: string[];
  user?: string;
  workdir?: string;
  output?: string;
  load?: true;
};

const collect = (value: string, before: string[]): string[] => [...before, value];

export const defineImage: DefineCommand = (program, cli) => {
  const image = program
    .command('image')
    .description('Make container images without a registry and load them');
  addExamples(image, [
    [
      'u7s image build-from rootfs.tar.gz --name localhost/hello:1 --cmd /bin/sh --load',
      'of a root file system',
    ],
    ['u7s image build-from ./hello --name localhost/hello:1 --load', 'of a static program'],
    ['docker save hello | u7s image load -', "another engine's image"],
    ['u7s image ls', 'what the node has'],
  ]);

  image
    .command('build-from')
    .description('Make an image of a root file system or of static programs')
    .argument('[rootfs]', 'tar archive (plain or gzipped, - for stdin), folder, or static program')
    .requiredOption('--name <reference>', 'name of the image, like localhost/hello:1')
    .option(
      '--file <src:dest>',
      'instead of a root file system: a file and its path; repeatable',
      collect,
      [],
    )
    .option('--entrypoint <word>', 'what a container runs; repeat it for arguments', collect, [])
    .option(
      '--cmd <word>',
      'what a container runs, or arguments that it may replace; repeatable',
      collect,
      [],
    )
    .option('--env <name=value>', 'environment variable; repeatable', collect, [])
    .option('--user <uid[:gid]>', 'whom it runs as (default: 0, root of the node alone)')
    .option('--workdir <path>', 'where it starts (default: /)')
    .option('-o, --output <file>', 'write the archive here')
    .option('--load', 'load it into the running cluster')
    .action((rootfs: string | undefined, options: BuildOptions, self: Command) =>
      build(cli, self, rootfs, options),
    );

  image
    .command('load')
    .description(
      'Load archives of images (docker save or OCI layout, plain or gzipped) into the running cluster',
    )
    .argument('<file...>', 'archive, or - for stdin')
    .action((files: string[], _options: unknown, self: Command) => loadFiles(cli, self, files));

  image
    .command('ls')
    .description('List the images that the node has')
    .addOption(new Option('-o, --output <format>', 'output format').choices(['json']))
    .action((options: { output?: 'json' }, self: Command) => list(cli, self, options.output));
};

async function build(
  cli: Cli,
  command: Command,
  rootfs: string | undefined,
  options: BuildOptions,
): Promise<void> {
  if ((rootfs === undefined) === (options.file.length === 0)) {
    throw new UsageError(
      'todo',
      'an image is made of one root file system, or of --file',
      'give the one or the other',
    );
  }
  if (options.output === undefined && options.load === undefined) {
    throw new UsageError(
      'todo',
      'nothing is to be done with the image',
      'add --load, or -o FILE.tar, or both',
    );
  }
  const env = variables(options.env);
  // Asked before the work, so that it isn't in vain.
  const node = options.load ? await runningNode(cli, command) : undefined;
  const [{ imageFile, imageSource }, { writeImage }, { mkdtemp, rm }] = await Promise.all([
    import('../../images/image-source.js'),
    import('../../images/oci-layout.js'),
    import('node:fs/promises'),
  ]);
  const source =
    rootfs === undefined
      ? { rootfs: { files: await Promise.all(options.file.map(imageFile)) } }
      : await imageSource(rootfs, cli.io.stdin);
  const entrypoint = options.entrypoint.length > 0 ? options.entrypoint : source.entrypoint;

  const scratch = options.output === undefined ? await mkdtemp(join(tmpdir(), 'u7s-image-')) : undefined;
  try {
    const archive = options.output ?? join(scratch ?? '', 'image.tar');
    const { reference } = await writeImage(
      {
        reference: options.name,
        architecture: architecture(),
        rootfs: source.rootfs,
        ...(entrypoint ? { entrypoint } : {}),
        ...(options.cmd.length > 0 ? { cmd: options.cmd } : {}),
        ...(options.env.length > 0 ? { env } : {}),
        ...(options.user === undefined ? {} : { user: options.user }),
        ...(options.workdir === undefined ? {} : { workingDir: options.workdir }),
      },
      archive,
      cli.signal,
    );
    if (node) await load(cli, node, archive);
    else cli.io.stdout.write(`${reference}\n`);
  } finally {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}

async function loadFiles(cli: Cli, command: Command, files: string[]): Promise<void> {
  const node = await runningNode(cli, command);
  for (const file of files) await load(cli, node, file);
}

async function load(cli: Cli, node: Node, file: string): Promise<void> {
  const [{ openFile }, { importImages }] = await Promise.all([
    import('../../images/image-source.js'),
    import('../../images/node-images.js'),
  ]);
  const [archive, name] =
    file === '-' ? [cli.io.stdin, 'the standard input'] : [(await openFile(file)).stream, file];
  const names = await importImages(node, archive as AsyncIterable<Buffer>, name, cli.signal);
  for (const image of names) cli.io.stdout.write(`${image}\n`);
  if (names.length === 0) cli.io.stderr.write(`${name} gives its image no name; see u7s image ls\n`);
}

async function list(cli: Cli, command: Command, output: 'json' | undefined): Promise<void> {
  const node = await runningNode(cli, command);
  const [{ listImages }, { renderTable }] = await Promise.all([
    import('../../images/node-images.js'),
    import('../../ui/table.js'),
  ]);
  const images = await listImages(node, cli.signal);
  const rows = images.map(({ reference, digest, size }) => [
    reference,
    digest.slice('sha256:'.length).slice(0, 12),
    size,
  ]);
  cli.io.stdout.write(
    output === 'json'
      ? `${JSON.stringify(images, null, 2)}\n`
      : renderTable(['IMAGE', 'DIGEST', 'SIZE'], rows),
  );
}

async function runningNode(cli: Cli, command: Command): Promise<Node> {
  const { childPid, remembered: file } = await selectedPaths(cli, command);
  const [{ namespacePid }, { readRemembered }, { clusterArtifacts }, { runtimes }, { binaryOf }] =
    await Promise.all([
      import('../../rootless/nsenter.js'),
      import('../../settings/remembered.js'),
      import('../../instance/artifacts.js'),
      import('../../runtimes/table.js'),
      import('../../plan/plan.js'),
    ]);
  const pid = await namespacePid(childPid);
  const remembered = await readRemembered(file);
  if (remembered === undefined) throw new U7sError('todo', 'the cluster is just being removed');
  const { artifacts, images } = runtimes[remembered.runtime];
  const binary = binaryOf(await clusterArtifacts(cli, remembered, artifacts));
  return { pid, store: images(binary) };
}

function variables(settings: string[]): Record<string, string> {
  return Object.fromEntries(
    settings.map((text): [string, string] => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new UsageError('todo', `${JSON.stringify(text)} sets no variable`, 'write it like LANG=C.UTF-8');
    }),
  );
}
