import { readFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { architecture } from '../lib/architecture.js';
import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { runOk } from '../lib/exec.js';
import { nsenterArgs } from '../rootless/nsenter.js';
import { checkedArchive } from './checked-archive.js';
import type { Command, ImageStore, NodeImage } from './image-store.js';
import { plainTar } from './tar-stream.js';

/** The images of the running node, and a process in whose namespaces they are available. */
export type Node = { store: ImageStore; pid: number };

/**
 * Loads every image of an archive into the node.
 *
 * @param archive made by `docker save`, or an OCI image layout; plain, or compressed with gzip, xz, zstd or bzip2
 * @param name what to call it in errors
 * @returns the images' names
 */
export async function importImages(
  node: Node,
  archive: AsyncIterable<Buffer>,
  name: string,
  signal: AbortSignal,
): Promise<string[]> {
  let names: string[] = [];
  const [nsenter, args] = inside(node, node.store.importCommand('-'));
  const passing = checkedArchive(plainTar(archive, name), name, (found) => (names = found), {
    architecture: architecture(),
    ids: await idsOf(node.pid),
  });
  const result = await execa(nsenter, args, { stdin: passing, reject: false, cancelSignal: signal });
  signal.throwIfAborted();
  // Ours comes first: the program's complaint about a truncated archive is only a consequence.
  if (result.cause instanceof U7sError) throw result.cause;
  if (!result.failed) return names;
  if (node.store.notAnArchive.test(result.stderr)) {
    throw new U7sError('archive-invalid', `${name} is not an image archive`, {
      fixes: [
        'give an archive that docker save has written, or an OCI image layout',
        u7s(['image', 'build-from', '--name', 'NAME', '--load', 'ROOTFS'], {
          text: 'make an image, if it is a root file system',
        }),
      ],
      cause: result,
    });
  }
  throw new U7sError(
    'image-load-failed',
    `cannot load ${name}: ${result.stderr.trim().split('\n').at(-1) || result.shortMessage}`,
    {
      cause: result,
    },
  );
}

/** How many users the node's namespace has; those of the host that are mapped follow each other from 0 on. */
async function idsOf(pid: number): Promise<number> {
  const map = await readFile(`/proc/${pid}/uid_map`, 'utf8').catch(() => '');
  const counts = map
    .trim()
    .split('\n')
    .map((line) => Number(line.trim().split(/\s+/)[2] ?? 0));
  return counts.reduce((sum, count) => sum + count, 0) || Infinity;
}

export async function listImages(node: Node, signal: AbortSignal): Promise<NodeImage[]> {
  return node.store.parseList(await runOk(...inside(node, node.store.listCommand()), { signal }));
}

/** Removes images by their names; one that is not there is an error. */
export async function removeImages(
  node: Node,
  references: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const printed = await runOk(...inside(node, node.store.listCommand()), { signal });
  requirePresent(node.store.parseList(printed), references);
  await runOk(...inside(node, node.store.removeCommand(references, printed)), { signal });
}

export async function tagImage(node: Node, from: string, to: string, signal: AbortSignal): Promise<void> {
  requirePresent(await listImages(node, signal), [from]);
  await runOk(...inside(node, node.store.tagCommand(from, to)), { signal });
}

/** Writes an archive of images to `output`. */
export async function saveImages(
  node: Node,
  references: readonly string[],
  output: Writable,
  signal: AbortSignal,
): Promise<void> {
  requirePresent(await listImages(node, signal), references);
  const [nsenter, args] = inside(node, node.store.saveCommand(references));
  const child = execa(nsenter, args, { reject: false, cancelSignal: signal, buffer: { stdout: false } });
  const [result] = await Promise.all([
    child,
    pipeline(child.stdout, output, { signal, end: output !== process.stdout }),
  ]);
  signal.throwIfAborted();
  if (!result.failed) return;
  throw new U7sError(
    'image-save-failed',
    `cannot save ${references.join(', ')}: ${String(result.stderr).trim().split('\n').at(-1)}`,
    { cause: result },
  );
}

function requirePresent(images: readonly NodeImage[], references: readonly string[]): void {
  const missing = references.filter((each) => !images.some(({ reference }) => reference === each));
  if (missing.length === 0) return;
  throw new U7sError('no-such-image', `the node has no image ${missing.join(', ')}`, {
    fixes: [u7s(['image', 'ls'], { text: 'see what it has' })],
  });
}

function inside({ pid }: Node, { command, args }: Command): [string, string[]] {
  // skopeo creates a folder there, which must not be the user's own.
  return ['nsenter', nsenterArgs(pid, ['env', 'XDG_RUNTIME_DIR=/run', command, ...args])];
}
