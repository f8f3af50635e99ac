import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Header } from 'tar';
import { U7sError, UsageError, errnoOf } from '../lib/errors.js';
import type { BundleEntry } from './entries.js';

/** Of every file, so that equal content is equal bytes. */
const mtime = new Date('2000-01-01T00:00:00Z');
const blockSize = 512;
const block = (size: number): number => Math.ceil(size / blockSize) * blockSize;

export const formats = ['tbz', 'tar.gz', 'tar.zst', 'tar'] as const;
export type Format = (typeof formats)[number];

/** The format that a file's name asks for. */
export function formatOf(file: string): Format {
  if (/\.(tbz2?|tar\.bz2)$/.test(file)) return 'tbz';
  if (/\.(tar\.gz|tgz)$/.test(file)) return 'tar.gz';
  if (/\.(tar\.zst|tzst)$/.test(file)) return 'tar.zst';
  if (file.endsWith('.tar')) return 'tar';
  throw new UsageError(
    'bundle-format',
    `${file} does not say how to compress it`,
    'name it .tbz, .tar.gz, .tar.zst or .tar',
  );
}

/** A tar archive, which depends on nothing but names, modes and content. */
export async function* tarOf(entries: readonly BundleEntry[], folder: string): AsyncGenerator<Buffer> {
  const folders = new Set<string>();
  for (const entry of entries) {
    const path = `${folder}/${entry.path}`;
    for (const parent of parentsOf(path)) {
      if (folders.has(parent)) continue;
      folders.add(parent);
      yield header({ path: `${parent}/`, mode: 0o755, type: 'Directory', size: 0 });
    }
    if ('link' in entry) {
      yield header({ path, mode: 0o777, type: 'SymbolicLink', size: 0, linkpath: entry.link });
      continue;
    }
    yield header({ path, mode: entry.mode, type: 'File', size: entry.size });
    let size = 0;
    const content =
      'from' in entry ? (createReadStream(entry.from) as AsyncIterable<Buffer>) : [entry.content];
    for await (const bytes of content) {
      size += bytes.length;
      yield bytes;
    }
    if (size !== entry.size) throw new U7sError('bundle-changed', `${path} has changed meanwhile`);
    yield Buffer.alloc(block(size) - size);
  }
  yield Buffer.alloc(2 * blockSize);
}

function parentsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function header(fields: {
  path: string;
  mode: number;
  type: 'File' | 'Directory' | 'SymbolicLink';
  size: number;
  linkpath?: string;
}): Buffer {
  const bytes = Buffer.alloc(blockSize);
  const written = new Header({ ...fields, mtime, uid: 0, gid: 0 });
  if (written.encode(bytes)) throw new U7sError('bundle-path', `${fields.path} is too long for an archive`);
  return bytes;
}

/** Which program compresses, with which arguments; level 1 is quickest. Several threads of zstd give the same bytes as one. */
const compressors: Partial<Record<Format, (level: number) => [program: string, args: string[]]>> = {
  tbz: (level) => ['bzip2', ['-c', `-${level}`]],
  'tar.zst': (level) => ['zstd', ['-q', '-c', '-T0', `-${level}`]],
};

const defaultLevels: Readonly<Record<Format, number>> = { tbz: 9, 'tar.gz': 6, 'tar.zst': 10, tar: 0 };

/** Writes a whole archive, or none. */
export async function writeArchive(
  tar: AsyncIterable<Buffer>,
  file: string,
  format: Format,
  options: { level?: number | undefined; signal: AbortSignal },
): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await compressTo(tar, createWriteStream(partial), format, options);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

export async function compressTo(
  tar: AsyncIterable<Buffer>,
  target: Writable,
  format: Format,
  { level = defaultLevels[format], signal }: { level?: number | undefined; signal: AbortSignal },
): Promise<void> {
  const source = Readable.from(tar, { objectMode: false });
  const compressor = compressors[format];
  if (format === 'tar') return pipeline(source, target, { signal });
  if (compressor === undefined) return pipeline(source, createGzip({ level }), target, { signal });
  const [program, args] = compressor(level);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], signal });
  const ended = once(child, 'close').catch((cause: unknown) => {
    signal.throwIfAborted();
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    throw new U7sError('not-installed', `there is no ${program}, which compresses ${format}`, {
      fixes: [`install it: apt-get install ${program}`, 'or make a .tar.gz, which needs no other program'],
      cause,
    });
  });
  const [outcome] = await Promise.allSettled([
    ended,
    pipeline(source, child.stdin, { signal }),
    pipeline(child.stdout, target, { signal }),
  ]).then((results) => {
    signal.throwIfAborted();
    const failed = results.find((each) => each.status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    return results;
  });
  if (outcome?.status === 'fulfilled' && (outcome.value as unknown[])[0] !== 0)
    throw new U7sError('program-failed', `${program} failed`);
}
