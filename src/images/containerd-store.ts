import { architecture } from '../lib/architecture.js';
import type { BundledImage } from './bundled.js';
import type { Command, ImageStore, NodeImage } from './image-store.js';

export type ContainerdStore = {
  ctr: string;
  socket: string;
  /** One of containerd's own: Kubernetes uses `k8s.io`. */
  namespace: string;
};

/** No registry has what is imported: the kubelet must not remove it when the disk is nearly full. */
const platform = `linux/${architecture()}`;

const pinned = ['--label', 'io.cri-containerd.pinned=pinned'];

/**
 * Images of containerd, through ctr. ctr itself imports them (`--local`), which takes half the time of containerd's import
 * (0.5 s instead of 1.0 s for CoreDNS). The first container unpacks them, since only containerd's CRI plugin knows the
 * snapshotter.
 */
export function containerdStore({ ctr, socket, namespace }: ContainerdStore): ImageStore {
  const images = (...args: string[]) => ({
    command: ctr,
    args: ['--address', socket, '--namespace', namespace, 'images', ...args],
  });
  return {
    importCommand: (archive) =>
      images('import', '--local', '--no-unpack', '--platform', platform, ...pinned, archive),
    listCommand: () => images('list'),
    parseList: (printed) => records(printed).filter(({ reference }) => isName(reference)),
    removeCommand: (references, printed) =>
      images('remove', '--sync', ...withNamelessRecords(references, records(printed))),
    tagCommand: (from, to) => images('tag', '--force', from, to),
    saveCommand: (references) => images('export', '-', ...references),
    notAnArchive: /unrecognized image format|invalid tar header|unexpected EOF/,
  };
}

function records(printed: string): NodeImage[] {
  const [, ...rows] = printed.split('\n');
  return rows.flatMap((row) => {
    const [reference, , digest, size, unit] = row.split(/\s+/);
    return reference === undefined || digest === undefined
      ? []
      : [{ reference, digest, size: `${size} ${unit}` }];
  });
}

/** Not one of containerd's further records of the same image, which only have a digest. */
const isName = (reference: string): boolean => !/^sha256:|@/.test(reference);

/** With the last name of an image its other records go, or its layers would stay for good. */
function withNamelessRecords(references: readonly string[], all: readonly NodeImage[]): string[] {
  const left = all.filter(({ reference }) => isName(reference) && !references.includes(reference));
  const gone = all.filter(({ reference }) => references.includes(reference)).map(({ digest }) => digest);
  const nameless = all.filter(
    ({ reference, digest }) =>
      !isName(reference) && gone.includes(digest) && left.every((other) => other.digest !== digest),
  );
  return [...new Set([...references, ...nameless.map(({ reference }) => reference)])];
}

const importMissing = `
ctr=$1 socket=$2 namespace=$3 snapshotter=$4; shift 4
images() { "$ctr" --address "$socket" --namespace "$namespace" images "$@"; }
while [ $# -gt 0 ]; do
  [ -n "$(images list -q "name==$1,target.digest==$2")" ] || images import --local --snapshotter "$snapshotter" ${pinned.join(' ')} "$3"
  shift 3
done`;

/** Imports and unpacks images that containerd lacks: a look takes 20 ms, another import of CoreDNS 400 ms. */
export function importMissingCommand(
  { ctr, socket, namespace }: ContainerdStore,
  snapshotter: string,
  images: readonly BundledImage[],
): Command {
  const words = images.flatMap(({ reference, digest, archive }) => [reference, digest, archive]);
  return {
    command: '/bin/sh',
    args: ['-euc', importMissing, 'sh', ctr, socket, namespace, snapshotter, ...words],
  };
}
