import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable, pipeline, type Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as zlib from 'node:zlib';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';

type Bytes = AsyncIterable<Buffer>;
type Compression = { start: string; name: 'gzip' | 'xz' | 'zstd' | 'bzip2' };

const compressions: readonly Compression[] = [
  { start: '1f8b', name: 'gzip' },
  { start: 'fd377a585a', name: 'xz' },
  { start: '28b52ffd', name: 'zstd' },
  { start: '425a68', name: 'bzip2' },
];

/** Packages that have the programs. */
const packages = { gzip: 'gzip', xz: 'xz-utils (Fedora: xz)', zstd: 'zstd', bzip2: 'bzip2' };

/** By the first bytes; undefined for what is not compressed. */
export function compressionOf(head: Buffer): Compression['name'] | undefined {
  return compressions.find(({ start }) => head.toString('hex', 0, start.length / 2) === start)?.name;
}

/** Node.js knows zstd from 22.15 on. */
const zstd = (zlib as { createZstdDecompress?: () => Transform }).createZstdDecompress;

/**
 * The bytes that were compressed: by Node.js where it can, else by the host's program. Fails when they are damaged.
 *
 * @param name what to call them in errors
 */
export async function* decompressed(
  source: Bytes,
  how: Compression['name'],
  name: string,
): AsyncGenerator<Buffer> {
  if (how === 'gzip') yield* byStream(source, zlib.createGunzip(), name);
  else if (how === 'zstd' && zstd !== undefined) yield* byStream(source, zstd(), name);
  else yield* byProgram(source, how, name);
}

async function* byStream(source: Bytes, stream: Transform, name: string): AsyncGenerator<Buffer> {
  let cause: unknown;
  const unpacking = pipeline(source, stream, (error) => (cause = error)) as unknown as Bytes;
  try {
    yield* unpacking;
  } catch (error) {
    // The stream's own fault, or that of the source, which comes first.
    const first = cause ?? error;
    if (errnoOf(first)?.startsWith('Z') !== true) throw first;
    throw damaged(name, messageOf(first), first);
  }
}

async function* byProgram(source: Bytes, program: string, name: string): AsyncGenerator<Buffer> {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const started = once(child, 'spawn').catch((error: unknown) => {
    throw new U7sError('no-decompressor', `${name} is compressed with ${program}, which is not installed`, {
      fixes: [`install it: the package ${packages[program as keyof typeof packages]}`],
      cause: error,
    });
  });
  await started;
  const ended = once(child, 'close') as Promise<[number | null]>;
  let cause: unknown;
  // A program that gives up closes its input, which is not the cause.
  const feeding = new Promise<void>((resolve) =>
    pipeline(Readable.from(source), child.stdin, (error) => {
      if (error && errnoOf(error) !== 'EPIPE') {
        cause = error;
        child.kill();
      }
      resolve();
    }),
  );
  const said = text(child.stderr);
  try {
    yield* child.stdout as Bytes;
    await feeding;
    const [code] = await ended;
    if (cause instanceof Error) throw cause;
    if (code !== 0) throw damaged(name, (await said).trim().split('\n').at(-1) ?? '', undefined);
  } finally {
    child.kill();
  }
}

function damaged(name: string, why: string, cause: unknown): U7sError {
  return new U7sError('archive-invalid', `${name} is damaged: ${why}`, {
    fixes: ['have it written or copied again'],
    cause,
  });
}
