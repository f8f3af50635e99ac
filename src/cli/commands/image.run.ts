import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { imageFile, imageSource, openFile } from '../../images/image-source.js';
import {
  importImages,
  listImages,
  removeImages,
  saveImages,
  tagImage,
  type Node,
} from '../../images/node-images.js';
import { writeImage } from '../../images/oci-layout.js';
import { fullReference, parseReference } from '../../images/reference.js';
import { pullImage } from '../../instance/pull-image.js';
import { runningNode } from '../../instance/running-node.js';
import { architecture } from '../../lib/architecture.js';
import { U7sError, UsageError, errnoOf } from '../../lib/errors.js';
import { visibleLine } from '../../lib/visible.js';
import { renderTable } from '../../ui/table.js';
import type { Cli } from '../command.js';
import { withInstance } from '../instance.js';
import { instanceTypist } from '../typist.js';

export type BuildOptions = {
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

export async function build(
  cli: Cli,
  command: Command,
  rootfs: string | undefined,
  options: BuildOptions,
): Promise<void> {
  if ((rootfs === undefined) === (options.file.length === 0)) {
    throw new UsageError(
      'image-source',
      'an image is made of one root file system, or of --file',
      'give the one or the other',
    );
  }
  if (options.output === undefined && options.load === undefined) {
    throw new UsageError('image-target', 'the image would go nowhere', 'add --load, or -o FILE.tar, or both');
  }
  const env = variables(options.env);
  // Asked before the work, so that it isn't in vain.
  const node = options.load ? await nodeOf(cli, command) : undefined;
  const toStdout = options.output === '-';
  const scratch =
    options.output === undefined || toStdout ? await mkdtemp(join(tmpdir(), 'u7s-image-')) : undefined;
  try {
    const archive = scratch === undefined ? (options.output ?? '') : join(scratch, 'image.tar');
    const reference = await writeArchive(cli, rootfs, { ...options, env }, archive);
    if (toStdout)
      await pipeline(createReadStream(archive), cli.io.stdout, { end: false, signal: cli.signal });
    if (node) await loadFile(cli, node, archive, toStdout ? cli.io.stderr : cli.io.stdout);
    else if (!toStdout) cli.io.stdout.write(`${reference}\n`);
  } finally {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
  }
}

async function writeArchive(
  { io, signal }: Cli,
  rootfs: string | undefined,
  options: Omit<BuildOptions, 'env'> & { env: Record<string, string> },
  archive: string,
): Promise<string> {
  const source =
    rootfs === undefined
      ? { rootfs: { files: await Promise.all(options.file.map(imageFile)) } }
      : await imageSource(rootfs, io.stdin);
  const entrypoint = options.entrypoint.length > 0 ? options.entrypoint : source.entrypoint;
  const { reference } = await writeImage(
    {
      reference: options.name,
      architecture: architecture(),
      rootfs: source.rootfs,
      ...(entrypoint ? { entrypoint } : {}),
      ...(options.cmd.length > 0 ? { cmd: options.cmd } : {}),
      ...(Object.keys(options.env).length > 0 ? { env: options.env } : {}),
      ...(options.user === undefined ? {} : { user: options.user }),
      ...(options.workdir === undefined ? {} : { workingDir: options.workdir }),
    },
    archive,
    signal,
  );
  return reference;
}

export async function load(cli: Cli, command: Command, files: readonly string[]): Promise<void> {
  const node = await nodeOf(cli, command);
  for (const file of files) await loadFile(cli, node, file);
}

async function loadFile(cli: Cli, node: Node, file: string, stdout: Writable = cli.io.stdout): Promise<void> {
  const { stdin, stderr } = cli.io;
  const [archive, name] =
    file === '-' ? [stdin, 'the standard input'] : [(await openFile(file)).stream, file];
  const names = await importImages(node, archive as AsyncIterable<Buffer>, name, cli.signal);
  for (const image of names) stdout.write(`${visibleLine(image)}\n`);
  if (names.length === 0) {
    const list = instanceTypist(cli)(['image', 'ls']);
    stderr.write(`${name} gives its image no name; to find it: ${list}\n`);
  }
}

export async function list(cli: Cli, command: Command, output: 'json' | undefined): Promise<void> {
  const images = await listImages(await nodeOf(cli, command), cli.signal);
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

export async function pull(cli: Cli, command: Command, images: readonly string[]): Promise<void> {
  const references = images.map(fullReference);
  for (const reference of references) {
    await withInstance(cli, command, (context) => pullImage(context, reference));
    cli.io.stdout.write(`${reference}\n`);
  }
}

export async function remove(cli: Cli, command: Command, images: readonly string[]): Promise<void> {
  const references = images.map(fullReference);
  await removeImages(await nodeOf(cli, command), references, cli.signal);
  for (const reference of references) cli.io.stdout.write(`${reference} removed\n`);
}

export async function tag(cli: Cli, command: Command, from: string, to: string): Promise<void> {
  const { reference } = parseReference(to);
  await tagImage(await nodeOf(cli, command), fullReference(from), reference, cli.signal);
  cli.io.stdout.write(`${reference}\n`);
}

export async function save(
  cli: Cli,
  command: Command,
  images: readonly string[],
  output: string,
): Promise<void> {
  const references = images.map(fullReference);
  const node = await nodeOf(cli, command);
  if (output === '-') return saveImages(node, references, cli.io.stdout, cli.signal);
  const partly = `${output}.part`;
  try {
    await saveImages(node, references, createWriteStream(partly, { mode: 0o600 }), cli.signal);
    await rename(partly, output);
  } catch (error) {
    await rm(partly, { force: true });
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    throw new U7sError('not-writable', `cannot write ${output} (${errno})`, {
      fixes: ['have your shell write it: -o - and > FILE at the end'],
      cause: error,
    });
  }
}

function nodeOf(cli: Cli, command: Command): Promise<Node> {
  return withInstance(cli, command, runningNode, { progress: 'plain' });
}

function variables(settings: string[]): Record<string, string> {
  return Object.fromEntries(
    settings.map((text): [string, string] => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
      if (name !== undefined && value !== undefined) return [name, value];
      throw new UsageError(
        'variable-invalid',
        `${JSON.stringify(text)} sets no variable`,
        'write it like LANG=C.UTF-8',
      );
    }),
  );
}
