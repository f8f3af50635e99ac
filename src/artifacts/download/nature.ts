import { createReadStream, createWriteStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { errnoOf } from '../../lib/errors.js';

/** What a file is that should have been a program or an archive. `whole`: one of these, complete, whatever is in it. */
export type Nature = 'whole' | 'cut' | 'damaged' | 'other';

/** Judges a file by its own structure, for want of a known size. */
export async function natureOf(path: string, kind: 'binary' | 'tar.gz'): Promise<Nature> {
  return kind === 'binary' ? natureOfProgram(path) : natureOfGzip(path);
}

/** Whether bytes are text of a page or of an API, rather than a program or an archive. */
export function looksLikePage(bytes: Uint8Array): boolean {
  return /^\uFEFF?\s*[<{[]/.test(Buffer.from(bytes.subarray(0, 64)).toString('utf8'));
}

export async function isGzip(path: string): Promise<boolean> {
  const head = await readHead(path, 2);
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** Decompresses a file in place of another; false when it is no sound gzip or grows beyond `maxBytes`. */
export async function gunzipTo(path: string, target: string, maxBytes: number): Promise<boolean> {
  let bytes = 0;
  const gunzip = createGunzip();
  gunzip.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) gunzip.destroy(new Error('too large'));
  });
  try {
    await pipeline(createReadStream(path), gunzip, createWriteStream(target, { mode: 0o600 }));
    return true;
  } catch (error) {
    await rm(target, { force: true });
    if (errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT') throw error;
    return false;
  }
}

async function natureOfGzip(path: string): Promise<Nature> {
  if (!(await isGzip(path))) return 'other';
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    await pipeline(createReadStream(path), createGunzip(), nowhere);
    return 'whole';
  } catch (error) {
    return errnoOf(error) === 'Z_BUF_ERROR' ? 'cut' : 'damaged';
  }
}

/** The machine that a program is for (ELF's e_machine); undefined for a script or anything else. */
export async function machineOf(path: string): Promise<number | undefined> {
  const head = await readHead(path, 64);
  return isElf(head) ? head.readUInt16LE(18) : undefined;
}

const isElf = (head: Buffer): boolean =>
  head.length === 64 && head.readUInt32BE(0) === 0x7f454c46 && head[4] === 2 && head[5] === 1;

/** Of a 64-bit little-endian ELF file, whether all of its segments and sections are there. */
async function natureOfProgram(path: string): Promise<Nature> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(64);
    await file.read(head, 0, 64, 0);
    if (!isElf(head)) return 'other';
    const table = async (offset: number, entry: number, count: number): Promise<Buffer | undefined> => {
      const bytes = Buffer.alloc(entry * count);
      return (await file.read(bytes, 0, bytes.length, offset)).bytesRead === bytes.length ? bytes : undefined;
    };
    const [segmentSize, sectionSize] = [head.readUInt16LE(54), head.readUInt16LE(58)];
    const segments = await table(Number(head.readBigUInt64LE(32)), segmentSize, head.readUInt16LE(56));
    const sections = await table(Number(head.readBigUInt64LE(40)), sectionSize, head.readUInt16LE(60));
    if (!segments || !sections) return 'cut';
    for (let at = 0; at + 40 <= segments.length; at += segmentSize)
      if (segments.readBigUInt64LE(at + 8) + segments.readBigUInt64LE(at + 32) > BigInt(size)) return 'cut';
    for (let at = 0; at + 40 <= sections.length; at += sectionSize) {
      const occupiesNothing = sections.readUInt32LE(at + 4) === 8;
      const end = sections.readBigUInt64LE(at + 24) + sections.readBigUInt64LE(at + 32);
      if (!occupiesNothing && end > BigInt(size)) return 'cut';
    }
    return 'whole';
  } finally {
    await file.close();
  }
}

async function readHead(path: string, length: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(length);
    const { bytesRead } = await file.read(head, 0, length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
