import { Header } from 'tar';
import { U7sError } from '../lib/errors.js';
import { compressionOf, decompressed } from './decompress.js';
import { blockSize } from './tar-entries.js';

type Bytes = AsyncIterable<Buffer>;

/**
 * The bytes of a tar archive, decompressed if they are compressed. Fails when it is not a tar archive, or damaged.
 *
 * @param name what to call it in errors
 */
export async function* plainTar(source: Bytes, name: string): AsyncGenerator<Buffer> {
  const { head, all } = await withHead(source);
  const how = compressionOf(head);
  if (how === undefined) {
    checkHead(head, name);
    yield* all;
    return;
  }
  const unpacked = await withHead(decompressed(all, how, name));
  checkHead(unpacked.head, name);
  yield* unpacked.all;
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
  throw new U7sError('archive-invalid', `${name} is not a tar archive`);
}
