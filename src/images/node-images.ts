import { execa } from 'execa';
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
 * @param archive made by `docker save`, or an OCI image layout; plain or gzipped
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
  const passing = checkedArchive(plainTar(archive, name), name, (found) => (names = found));
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

export async function listImages(node: Node, signal: AbortSignal): Promise<NodeImage[]> {
  return node.store.parseList(await runOk(...inside(node, node.store.listCommand()), { signal }));
}

function inside({ pid }: Node, { command, args }: Command): [string, string[]] {
  // skopeo creates a folder there, which must not be the user's own.
  return ['nsenter', nsenterArgs(pid, ['env', 'XDG_RUNTIME_DIR=/run', command, ...args])];
}
