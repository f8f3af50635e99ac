import { execa } from 'execa';
import { U7sError } from '../lib/errors.js';
import { runOk } from '../lib/exec.js';
import { nsenterArgs } from '../rootless/nsenter.js';
import { noteNames } from './archive-names.js';
import type { Command, ImageStore, NodeImage } from './image-store.js';
import { plainTar } from './tar-stream.js';

/** The images of the running node, and a process in whose namespaces they can be had. */
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
  const passing = noteNames(plainTar(archive, name), (found) => (names = found));
  const result = await execa(nsenter, args, { stdin: passing, reject: false, cancelSignal: signal });
  signal.throwIfAborted();
  // Ours comes first: what the program says of an archive that broke off is only a consequence.
  if (result.cause instanceof U7sError) throw result.cause;
  if (!result.failed) return names;
  if (node.store.notAnArchive.test(result.stderr)) {
    throw new U7sError('todo', `${name} is not an image archive`, {
      fixes: [
        'give what docker save writes, or an OCI image layout; of a root file system make an image: u7s image build-from',
      ],
      cause: result,
    });
  }
  throw new U7sError(
    'todo',
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
  // skopeo makes a folder there, which is not to be the user's own.
  return ['nsenter', nsenterArgs(pid, ['env', 'XDG_RUNTIME_DIR=/run', command, ...args])];
}
