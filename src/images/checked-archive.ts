import { createHash } from 'node:crypto';
import { Parser, type ReadEntry } from 'tar';
import { U7sError } from '../lib/errors.js';
import { archiveFault, type ArchiveEntry } from './archive-check.js';

type Index = { manifests?: { annotations?: Record<string, string> }[] };
type DockerManifest = { RepoTags?: string[] | null }[];

/** Manifests and configurations are smaller: registries refuse manifests of more than 4 MiB. */
const longestDocument = 4 * 2 ** 20;

/** Of the end of an archive, which is passed on only when all of it has been found sound. */
const heldBack = 2 ** 16;

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
  yield held;
  const read = (path: string): unknown => JSON.parse(entries.get(path)?.text || 'null');
  onEnd(namesOf(read('index.json') as Index | null, read('manifest.json') as DockerManifest | null));
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
  entry.on('data', (chunk: Buffer) => {
    head ??= chunk;
    hash.update(chunk);
    if (entry.size <= longestDocument && head[0] === openingBrace(path)) chunks.push(chunk);
  });
  entry.on('end', () => {
    entries.set(path, {
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

/** By gzip or zstd. */
function isCompressed(head: Buffer): boolean {
  return /^(1f8b|28b52ffd)/.test(head.toString('hex', 0, 4));
}

function namesOf(index: Index | null, docker: DockerManifest | null): string[] {
  const tags = docker?.flatMap(({ RepoTags }) => RepoTags ?? []) ?? [];
  const annotated =
    index?.manifests?.flatMap(({ annotations }) => annotations?.['io.containerd.image.name'] ?? []) ?? [];
  return [...new Set([...annotated, ...tags])];
}
