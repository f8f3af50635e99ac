/** A file of an archive, or what links to one. */
export type ArchiveEntry = {
  /** In hex; missing for a link. */
  sha256?: string;
  /** Its bytes are compressed. */
  compressed: boolean;
  /** Kept of what may be a document. */
  text?: string;
};

type Descriptor = { digest?: string; mediaType?: string };
type OciManifest = { manifests?: Descriptor[]; config?: Descriptor; layers?: Descriptor[] };
type DockerManifest = { Config?: string; Layers?: string[] }[];
type Config = { rootfs?: { diff_ids?: string[] } };

/**
 * Why an image archive is not what it says: a blob that has another digest than its name, a configuration that belongs to
 * other layers, something that is missing. Undefined for one that is sound. Of an image of several platforms, those of which
 * the archive has no configuration are left out.
 */
export function archiveFault(entries: ReadonlyMap<string, ArchiveEntry>): string | undefined {
  for (const [path, { sha256 }] of entries) {
    const [, named] = /^(?:blobs\/sha256\/)?([0-9a-f]{64})(?:\.json)?$/.exec(path) ?? [];
    if (named !== undefined && sha256 !== undefined && sha256 !== named)
      return `${path} has another content: its digest is ${sha256}`;
  }
  const docker = documentOf<DockerManifest>(entries, 'manifest.json');
  const ofDocker = (Array.isArray(docker) ? docker : []).map(({ Config: config = '', Layers: layers = [] }) =>
    layersFault(entries, config, layers),
  );
  const ofOci = ociManifests(entries, documentOf<OciManifest>(entries, 'index.json'))
    .filter(({ config, layers = [] }) => entries.has(blobOf(config)) && layers.every(isDistributed))
    .map(({ config, layers = [] }) => layersFault(entries, blobOf(config), layers.map(blobOf)));
  return [...ofDocker, ...ofOci].find((fault) => fault !== undefined);
}

function layersFault(
  entries: ReadonlyMap<string, ArchiveEntry>,
  config: string,
  layers: readonly string[],
): string | undefined {
  const missing = [config, ...layers].find((path) => !entries.has(path));
  if (missing !== undefined) return `${missing} is missing`;
  const ids = documentOf<Config>(entries, config)?.rootfs?.diff_ids;
  // An artifact that is no image has a configuration of another kind.
  if (ids === undefined) return undefined;
  if (ids.length !== layers.length)
    return `${config} describes ${ids.length} layers, there are ${layers.length}`;
  const wrong = layers.find((path, index) => {
    const { sha256, compressed } = entries.get(path) ?? { compressed: false };
    // What a compressed one contains is compared when it is unpacked.
    return sha256 !== undefined && !compressed && `sha256:${sha256}` !== ids[index];
  });
  return wrong === undefined ? undefined : `${wrong} is not the layer that ${config} names`;
}

/** Those that the archive has, also below an index. */
function ociManifests(
  entries: ReadonlyMap<string, ArchiveEntry>,
  manifest: OciManifest | undefined,
  depth = 0,
): OciManifest[] {
  if (manifest === undefined || depth > 3) return [];
  const below = (manifest.manifests ?? []).flatMap((each) =>
    ociManifests(entries, documentOf<OciManifest>(entries, blobOf(each)), depth + 1),
  );
  return manifest.config === undefined ? below : [manifest, ...below];
}

function isDistributed({ mediaType = '' }: Descriptor): boolean {
  return !/nondistributable|foreign/.test(mediaType);
}

function blobOf(descriptor: Descriptor | undefined): string {
  return `blobs/${(descriptor?.digest ?? '').replace(':', '/')}`;
}

function documentOf<T>(entries: ReadonlyMap<string, ArchiveEntry>, path: string): T | undefined {
  try {
    return (JSON.parse(entries.get(path)?.text ?? '') as T | null) ?? undefined;
  } catch {
    return undefined;
  }
}
