import type { BundledImage } from './bundled.js';
import type { Command, ImageStore, NodeImage } from './image-store.js';

const containers = '/var/lib/containers';
const path = '/usr/sbin:/usr/bin:/sbin:/bin';

/** skopeo reads an archive more than once, so it must be a file. docker's format comes first: it names all its images. */
const importArchive = `
skopeo=$1 archive=$2
scratch=$(mktemp -d -p ${containers} import.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
[ "$archive" != - ] || { archive=$scratch/archive.tar; cat >"$archive"; }
has() { tar -xOf "$archive" "$1" >"$scratch/$1" 2>/dev/null; }
copy() { "$skopeo" --tmpdir "$scratch" copy --quiet "$1" "containers-storage:$2"; }
if has manifest.json; then
  names=$("$skopeo" list-tags "docker-archive:$archive" | sed -nE 's/^ +"([^"]+)",?$/\\1/p')
  for name in $names; do copy "docker-archive:$archive:$name" "$name"; done
elif has index.json; then
  names=$(sed -nE 's/.*"io\\.containerd\\.image\\.name": *"([^"]+)".*/\\1/p' "$scratch/index.json")
  for name in $names; do copy "oci-archive:$archive" "$name"; done
else
  echo 'this is no image archive' >&2
  exit 1
fi
[ -n "$names" ] || { echo 'it gives its image no name' >&2; exit 1; }`;

const importMissing = `
skopeo=$1; shift
while [ $# -gt 0 ]; do
  digest=$("$skopeo" inspect --format '{{.Digest}}' "containers-storage:$1" 2>/dev/null) || digest=
  [ "$digest" = "$2" ] || "$skopeo" copy --quiet "oci-archive:$3" "containers-storage:$1"
  shift 3
done`;

const saveArchive = `
skopeo=$1; shift
[ $# -eq 1 ] || { echo 'with CRI-O an archive holds one image' >&2; exit 1; }
scratch=$(mktemp -d -p ${containers} save.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
"$skopeo" --tmpdir "$scratch" copy --quiet "containers-storage:$1" "docker-archive:$scratch/a.tar:$1" >&2
cat "$scratch/a.tar"`;

const list = `
driver=$(sed -nE 's/^driver = "(.*)"$/\\1/p' /etc/containers/storage.conf)
records() { cat "${containers}/storage/$driver-$1/$1.json" 2>/dev/null || echo '[]'; }
printf '{"images": %s, "layers": %s}' "$(records images)" "$(records layers)"`;

type Records = {
  images: { names?: string[]; digest: string; layer: string }[];
  layers: { id: string; parent?: string; 'diff-size'?: number }[];
};

/**
 * Images of containers/storage, which CRI-O and skopeo share by locks on its files. skopeo has no command to list them; the
 * records are plain JSON.
 */
export function skopeoStore(skopeo: string): ImageStore {
  return {
    importCommand: (archive) => shell(importArchive, skopeo, archive),
    listCommand: () => shell(list),
    parseList: (printed) => {
      const { images, layers } = JSON.parse(printed) as Records;
      const byId = new Map(layers.map((layer) => [layer.id, layer]));
      const sizeOf = (id: string | undefined): number => {
        const layer = byId.get(id ?? '');
        return layer === undefined ? 0 : (layer['diff-size'] ?? 0) + sizeOf(layer.parent);
      };
      return images.flatMap(({ names = [], digest, layer }) =>
        names.map((reference): NodeImage => ({ reference, digest, size: mebibytes(sizeOf(layer)) })),
      );
    },
    removeCommand: (references) =>
      shell(
        'skopeo=$1; shift; for name; do "$skopeo" delete "containers-storage:$name"; done',
        skopeo,
        ...references,
      ),
    tagCommand: (from, to) =>
      shell('"$1" copy --quiet "containers-storage:$2" "containers-storage:$3"', skopeo, from, to),
    saveCommand: (references) => shell(saveArchive, skopeo, ...references),
    notAnArchive: /this is no image archive|unexpected EOF|invalid tar header/,
  };
}

/** Imports images that are missing or differ: a look takes 30 ms, another import of CoreDNS 1.9 s. */
export function importMissingCommand(skopeo: string, images: readonly BundledImage[]): Command {
  const words = images.flatMap(({ reference, digest, archive }) => [reference, digest, archive]);
  return shell(importMissing, skopeo, ...words);
}

/** Hides the user's home: what they have configured for their own engines is not for the node's. */
function shell(script: string, ...words: string[]): Command {
  return {
    command: '/usr/bin/env',
    args: ['-i', `PATH=${path}`, `HOME=${containers}`, '/bin/sh', '-euc', script, 'sh', ...words],
  };
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
