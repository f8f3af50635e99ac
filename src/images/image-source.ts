import type { Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { U7sError, UsageError, errnoOf } from '../lib/errors.js';
import type { ImageFile, Rootfs } from './rootfs.js';

type Source = { rootfs: Rootfs; entrypoint?: string[] };

const elfMagic = '7f454c46';

/** What a path stands for: `-` is a tar archive on stdin, a folder is a root file system, a program becomes `/<its name>`. */
export async function imageSource(path: string, stdin: Readable): Promise<Source> {
  if (path === '-') return { rootfs: { tar: stdin as AsyncIterable<Buffer>, name: 'the standard input' } };
  if ((await statSource(path)).isDirectory()) return { rootfs: { directory: path } };
  const { magic, stream } = await openFile(path);
  if (magic !== elfMagic) return { rootfs: { tar: stream, name: path } };
  stream.destroy();
  const destination = `/${basename(path)}`;
  return {
    rootfs: { files: [{ path: destination, mode: 0o755, content: { fromFile: path } }] },
    entrypoint: [destination],
  };
}

/** `SOURCE:PATH` of the command line, divided at the last colon. */
export async function imageFile(text: string): Promise<ImageFile> {
  const colon = text.lastIndexOf(':');
  const [source, path] = [text.slice(0, colon), text.slice(colon + 1)];
  if (colon < 1 || !path.startsWith('/') || path.endsWith('/')) {
    throw new UsageError(
      'file-invalid',
      `${JSON.stringify(text)} is not a file and its path in the image`,
      'write it as SOURCE:PATH, for example ./hello:/usr/bin/hello',
    );
  }
  const { mode } = await statSource(source);
  return { path, mode: mode & 0o7777, content: { fromFile: source } };
}

/** A file as a stream, opened at once so that it fails now. */
export async function openFile(path: string) {
  try {
    const file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return {
      magic: buffer.toString('hex', 0, bytesRead),
      stream: file.createReadStream({ start: 0, highWaterMark: 1 << 20 }),
    };
  } catch (error) {
    throw cannotRead(path, error);
  }
}

async function statSource(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

function cannotRead(path: string, error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  if (errno === 'ENOENT') return new U7sError('no-such-file', `there is no file ${path}`, { cause: error });
  return new U7sError('not-readable', `cannot read ${path} (${errno})`, {
    ...(errno === 'EACCES'
      ? { fixes: [`have your shell open it: write - instead, and < ${path} at the end`] }
      : {}),
    cause: error,
  });
}
