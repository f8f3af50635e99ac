import { createHash } from 'node:crypto';
import { Parser, type ReadEntry } from 'tar';
import { U7sError } from '../lib/errors.js';
import { archiveFault, platformsOf, type ArchiveEntry } from './archive-check.js';
import { compressionOf } from './decompress.js';

type Index = { manifests?: { annotations?: Record<string, string> }[] };
type DockerManifest = { RepoTags?: string[] | null }[];

/** Manifests and configurations are smaller: registries refuse manifests of more than 4 MiB. */
const longestDocument = 4 * 2 ** 20;

/** Of the end of an archive, which is passed on only when all of it has been found sound. */
const heldBack = 2 ** 16;

/** What a node takes; without a limit everything. */
export type NodeLimits = {
  architecture?: string;
  /** How many users and groups its namespace has, from 0 on. */
  ids?: number;
};

/**
 * Passes an image archive on unchanged; at its end, calls back with the images' names. Throws, before its end is passed on,
 * when it is not what its digests say.
 *
 * @param name what to call it in errors
 */
export async function* checkedArchive(
  archive: AsyncIterable<Buffer>,
  name: string,
  onEnd: (names: string[]) => void,
  node: NodeLimits = {},
): AsyncGenerator<Buffer> {
  const entries = new Map<string, ArchiveEntry>();
  const parser = new Parser({ onReadEntry: (entry: ReadEntry) => note(entry, entries) });
  let held = Buffer.alloc(0);
  for await (const chunk of archive) {
    parser.write(chunk);
    held = Buffer.concat([held, chunk]);
    if (held.length > heldBack) {
      yield held.subarray(0, -heldBack);
      held = held.subarray(-heldBack);
    }
  }
  parser.end();
  const fault = archiveFault(entries);
  if (fault !== undefined) {
    throw new U7sError('archive-invalid', `${name} is damaged: ${fault}`, {
      fixes: ['have it written or copied again'],
    });
  }
  checkPlatform(entries, name, node);
  checkOwners(entries, name, node);
  yield held;
  const read = (path: string): unknown => JSON.parse(entries.get(path)?.text || 'null');
  onEnd(namesOf(read('index.json') as Index | null, read('manifest.json') as DockerManifest | null));
}

function checkPlatform(
  entries: ReadonlyMap<string, ArchiveEntry>,
  name: string,
  { architecture }: NodeLimits,
): void {
  if (architecture === undefined) return;
  const { has, lacks } = platformsOf(entries);
  const own = `linux/${architecture}`;
  const isOwn = (platform: string): boolean => platform === own || platform.startsWith(`${own}/`);
  if (has.some(isOwn) || (has.length === 0 && lacks.length === 0)) return;
  const what = lacks.some(isOwn)
    ? `names an image for ${own}, but its content is not in it`
    : `has no image for ${own}, which this machine needs`;
  const others = has.length === 0 ? '' : `; it has ${has.join(', ')}`;
  throw new U7sError('image-platform', `${name} ${what}${others}`, {
    fixes: [
      `write it with this platform: docker pull --platform ${own} IMAGE; docker save --platform ${own} IMAGE`,
    ],
  });
}

function checkOwners(
  entries: ReadonlyMap<string, ArchiveEntry>,
  name: string,
  { ids = Infinity }: NodeLimits,
): void {
  const owners = [...entries.values()].flatMap(({ owner }) => owner ?? []);
  const beyond = owners.find(({ id }) => id >= ids);
  if (beyond === undefined) return;
  throw new U7sError(
    'image-ids',
    `${name} cannot be unpacked here: ${beyond.path} belongs to user or group ${beyond.id}, and this account has ${ids} of them`,
    {
      fixes: [
        'lend the account more of them, in /etc/subuid and /etc/subgid, and begin the cluster anew: docs/host.md',
        'or give the files of the image to users with lower numbers',
      ],
    },
  );
}

function note(entry: ReadEntry, entries: Map<string, ArchiveEntry>): void {
  const path = entry.path.replace(/^\.\//, '');
  if (entry.type !== 'File' && entry.type !== 'OldFile' && entry.type !== 'ContiguousFile') {
    entries.set(path, { compressed: false });
    return entry.resume();
  }
  const hash = createHash('sha256');
  const chunks: Buffer[] = [];
  let head: Buffer | undefined;
  let layer: LayerReader | undefined;
  entry.on('data', (chunk: Buffer) => {
    if (head === undefined) layer = layerReader(chunk);
    head ??= chunk;
    hash.update(chunk);
    layer?.write(chunk);
    if (entry.size <= longestDocument && head[0] === openingBrace(path)) chunks.push(chunk);
  });
  entry.on('end', () => {
    const owner = layer?.end();
    entries.set(path, {
      ...(owner === undefined ? {} : { owner }),
      sha256: hash.digest('hex'),
      compressed: head !== undefined && isCompressed(head),
      ...(chunks.length > 0 ? { text: Buffer.concat(chunks).toString() } : {}),
    });
  });
}

/** With which a document begins. */
function openingBrace(path: string): number {
  return (path === 'manifest.json' ? '[' : '{').charCodeAt(0);
}

function isCompressed(head: Buffer): boolean {
  return compressionOf(head) !== undefined;
}

type LayerReader = { write(chunk: Buffer): void; end(): ArchiveEntry['owner'] };

/** Finds out to whom files of a layer belong; what is no tar archive, or cannot be unpacked here, is not looked into. */
function layerReader(head: Buffer): LayerReader | undefined {
  const how = compressionOf(head);
  if (how === undefined ? head[0] === 0x7b || head[0] === 0x5b : how !== 'gzip') return undefined;
  let owner: ArchiveEntry['owner'];
  let broken = false;
  const parser = new Parser({
    onReadEntry: (entry: ReadEntry) => {
      const id = Math.max(entry.uid ?? 0, entry.gid ?? 0);
      if (owner === undefined || id > owner.id) owner = { id, path: entry.path };
      entry.resume();
    },
  });
  parser.on('error', () => (broken = true));
  return {
    write: (chunk) => {
      if (!broken) parser.write(chunk);
    },
    end: () => {
      if (!broken) parser.end();
      return owner;
    },
  };
}

function namesOf(index: Index | null, docker: DockerManifest | null): string[] {
  const tags = docker?.flatMap(({ RepoTags }) => RepoTags ?? []) ?? [];
  const annotated =
    index?.manifests?.flatMap(({ annotations }) => annotations?.['io.containerd.image.name'] ?? []) ?? [];
  return [...new Set([...annotated, ...tags])];
}
