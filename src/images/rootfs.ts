import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { U7sError, errnoOf } from '../lib/errors.js';
import { endOfArchive, tarHeader, tarPadding } from './tar-entries.js';
import { plainTar } from './tar-stream.js';

export type ImageFile = {
  /** Absolute path in the image. */
  path: string;
  mode: number;
  content: Buffer | { fromFile: string };
};

/** The contents of an image's file system. */
export type Rootfs =
  | { files: ImageFile[] }
  /** Everything below it, owned by root, without devices, sockets and pipes. */
  | { directory: string }
  /** An archive, plain or gzipped, used unchanged; `name` is for errors. */
  | { tar: AsyncIterable<Buffer>; name: string };

/** The one layer of an image as a plain tar stream. */
export function layerOf(rootfs: Rootfs): AsyncGenerator<Buffer> {
  if ('files' in rootfs) return filesLayer(rootfs.files);
  if ('directory' in rootfs) return directoryLayer(rootfs.directory);
  return plainTar(rootfs.tar, rootfs.name);
}

async function* filesLayer(files: ImageFile[]): AsyncGenerator<Buffer> {
  const byPath = new Map<string, ImageFile | undefined>();
  for (const file of files) {
    const path = posix.normalize(`/${file.path}`).slice(1);
    byPath.set(path, file);
    for (let parent = posix.dirname(path); parent !== '.'; parent = posix.dirname(parent)) {
      byPath.set(`${parent}/`, undefined);
    }
  }
  for (const [path, file] of [...byPath].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (file === undefined) {
      yield tarHeader({ path, type: 'Directory', mode: 0o755 });
    } else if (Buffer.isBuffer(file.content)) {
      const size = file.content.length;
      yield Buffer.concat([
        tarHeader({ path, type: 'File', mode: file.mode, size }),
        file.content,
        tarPadding(size),
      ]);
    } else {
      yield* regularFile(path, file.mode, file.content.fromFile);
    }
  }
  yield endOfArchive;
}

async function* directoryLayer(root: string): AsyncGenerator<Buffer> {
  const hardLinks = new Map<string, string>();
  async function* below(folder: string): AsyncGenerator<Buffer> {
    for (const name of (await readdir(join(root, folder))).sort()) {
      const path = posix.join(folder, name);
      const source = join(root, path);
      const stats = await lstat(source);
      const mode = stats.mode & 0o7777;
      if (stats.isDirectory()) {
        yield tarHeader({ path: `${path}/`, type: 'Directory', mode });
        yield* below(path);
      } else if (stats.isSymbolicLink()) {
        yield tarHeader({ path, type: 'SymbolicLink', mode, linkpath: await readlink(source) });
      } else if (stats.isFile()) {
        const identity = `${stats.dev}:${stats.ino}`;
        const linkpath = hardLinks.get(identity);
        if (stats.nlink > 1) hardLinks.set(identity, linkpath ?? path);
        if (linkpath === undefined) yield* regularFile(path, mode, source);
        else yield tarHeader({ path, type: 'Link', mode, linkpath });
      }
    }
  }
  try {
    yield* below('');
  } catch (error) {
    throw unreadable(root, error);
  }
  yield endOfArchive;
}

async function* regularFile(path: string, mode: number, source: string): AsyncGenerator<Buffer> {
  try {
    const { size } = await stat(source);
    yield tarHeader({ path, type: 'File', mode, size });
    let read = 0;
    for await (const chunk of createReadStream(source, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      read += chunk.length;
      yield chunk;
    }
    if (read !== size)
      throw new U7sError('file-changed', `${source} changed while it was read`, { fixes: ['try again'] });
    yield tarPadding(size);
  } catch (error) {
    throw unreadable(source, error);
  }
}

function unreadable(path: string, error: unknown): unknown {
  const errno = errnoOf(error);
  return errno === undefined
    ? error
    : new U7sError('not-readable', `cannot read ${path} (${errno})`, { cause: error });
}
