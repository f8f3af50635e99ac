import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Header } from 'tar';
import { U7sError, errnoOf, messageOf } from '../lib/errors.js';
import { blockSize } from './tar-entries.js';

type Bytes = AsyncIterable<Buffer>;

const gzipMagic = '1f8b';
const foreignCompressions = { fd377a58: 'xz', '28b52ffd': 'zstd', '425a68': 'bzip2' };

/**
 * The bytes of a tar archive, decompressed if it is gzipped. Fails when it is not a tar archive, or damaged.
 *
 * @param name what to call it in errors
 */
export async function* plainTar(source: Bytes, name: string): AsyncGenerator<Buffer> {
  const { head, all } = await withHead(source);
  if (!head.toString('hex', 0, 2).startsWith(gzipMagic)) {
    checkHead(head, name);
    yield* all;
    return;
  }
  const gunzip = createGunzip();
  pipeline(all, gunzip, () => {}); // an error ends the iteration of gunzip
  try {
    const unpacked = await withHead(gunzip as Bytes);
    checkHead(unpacked.head, name);
    yield* unpacked.all;
  } catch (error) {
    if (errnoOf(error)?.startsWith('Z_') !== true) throw error;
    throw new U7sError('archive-invalid', `${name} is damaged: ${messageOf(error)}`, { cause: error });
  }
}

/** The first block, and everything including it. */
async function withHead(source: Bytes): Promise<{ head: Buffer; all: Bytes }> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < blockSize) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* all() {
    yield head;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { head, all: all() };
}

function checkHead(head: Buffer, name: string): void {
  if (head.length >= blockSize && new Header(head.subarray(0, blockSize)).cksumValid) return;
  const magic = head.toString('hex', 0, 4);
  const program = Object.entries(foreignCompressions).find(([start]) => magic.startsWith(start))?.[1];
  if (program === undefined) throw new U7sError('archive-invalid', `${name} is not a tar archive`);
  throw new U7sError('archive-invalid', `${name} is compressed with ${program}`, {
    fixes: [`unpack it first: ${program} -d ${name}`],
  });
}
