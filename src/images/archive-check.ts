/** A file of an archive, or what links to one. */
export type ArchiveEntry = {
  /** In hex; missing for a link. */
  sha256?: string;
  /** Its bytes are compressed. */
  compressed: boolean;
  /** Of a layer: the greatest user or group that owns a file of it, and that file. */
  owner?: { id: number; path: string };
  /** Kept of what may be a document. */
  text?: string;
};

type Platform = { os?: string; architecture?: string; variant?: string };
type Descriptor = { digest?: string; mediaType?: string; platform?: Platform };
type OciManifest = { manifests?: Descriptor[]; config?: Descriptor; layers?: Descriptor[] };
type DockerManifest = { Config?: string; Layers?: string[] }[];
type Config = Platform & { rootfs?: { diff_ids?: string[] } };

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

/** Which platforms an archive has, and which it names without having their layers; without what is no image. */
export function platformsOf(entries: ReadonlyMap<string, ArchiveEntry>): { has: string[]; lacks: string[] } {
  const index = documentOf<OciManifest>(entries, 'index.json');
  const docker = documentOf<DockerManifest>(entries, 'manifest.json');
  const leaves = index === undefined ? [] : leavesOf(entries, index);
  if (leaves.length === 0 && Array.isArray(docker)) {
    const configs = docker.map(({ Config: config = '' }) => documentOf<Config>(entries, config));
    return { has: words(configs), lacks: [] };
  }
  const whole = ({ manifest }: Leaf): boolean =>
    manifest !== undefined &&
    entries.has(blobOf(manifest.config)) &&
    (manifest.layers ?? []).every((layer) => !isDistributed(layer) || entries.has(blobOf(layer)));
  const platforms = (some: Leaf[]): string[] =>
    words(
      some.map(({ manifest, platform }) => platform ?? documentOf<Config>(entries, blobOf(manifest?.config))),
    );
  return {
    has: platforms(leaves.filter(whole)),
    lacks: platforms(leaves.filter((leaf) => !whole(leaf))),
  };
}

/** A manifest of one platform, which the archive may only name. */
type Leaf = { manifest: OciManifest | undefined; platform: Platform | undefined };

function leavesOf(entries: ReadonlyMap<string, ArchiveEntry>, index: OciManifest, depth = 0): Leaf[] {
  if (depth > 3) return [];
  return (index.manifests ?? []).flatMap((each) => {
    const manifest = documentOf<OciManifest>(entries, blobOf(each));
    return manifest?.manifests === undefined
      ? [{ manifest, platform: each.platform }]
      : leavesOf(entries, manifest, depth + 1);
  });
}

/** `linux/arm64`; an attestation has the platform unknown/unknown. */
function words(platforms: readonly (Platform | undefined)[]): string[] {
  const texts = platforms.flatMap(({ os, architecture, variant } = {}) =>
    os === undefined || architecture === undefined || os === 'unknown'
      ? []
      : [[os, architecture, ...(variant ? [variant] : [])].join('/')],
  );
  return [...new Set(texts)];
}
