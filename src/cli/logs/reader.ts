import { watch } from 'node:fs';
import { open, readFile, readdir } from 'node:fs/promises';
import { on } from 'node:events';
import { createGunzip } from 'node:zlib';
import { U7sError, errnoOf } from '../../lib/errors.js';
import { serviceOfLog } from '../../supervisor/log-file.js';

const newline = 0x0a;
const chunkBytes = 64 * 1024;
/** How much of the last that was read is kept, to find the place again in a rotated file. */
const memoryBytes = 4 * 1024;

/** The services that have a log in `directory`, sorted. */
export async function loggedServices(directory: string): Promise<string[]> {
  try {
    const files = await readdir(directory);
    return files.flatMap((file) => serviceOfLog(file) ?? []).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** An older part of a log, which may be compressed; nothing when it is gone. */
export async function* wholeLog(path: string): AsyncGenerator<Buffer> {
  if (!path.endsWith('.gz')) {
    yield* createLogReader(path).read();
    return;
  }
  const file = await open(path).catch(() => undefined);
  let pending = Buffer.alloc(0);
  for await (const chunk of file?.createReadStream().pipe(createGunzip()) ?? []) {
    const all = Buffer.concat([pending, chunk as Buffer]);
    const end = all.lastIndexOf(newline) + 1;
    pending = all.subarray(end);
    yield all.subarray(0, end);
  }
}

/** Reads a log on and on, complete lines at a time. */
export type LogReader = {
  /** Goes to where the last `lines` lines begin. */
  seekTail: (lines: number) => Promise<void>;
  /** The lines that have been written since, each with its line end. Nothing when the file is gone. */
  read: () => AsyncGenerator<Buffer>;
  /** What follows the last line end. */
  rest: () => Buffer;
};

/**
 * A log is rotated by copying it to `<path>.1` and emptying it in place: when the file has become shorter than what was
 * read of it, the remainder is in the copy, after the bytes read last.
 */
export function createLogReader(path: string): LogReader {
  let position = 0;
  let memory = Buffer.alloc(0);
  let pending = Buffer.alloc(0);

  const take = (bytes: Buffer): Buffer => {
    memory = Buffer.from(Buffer.concat([memory, bytes]).subarray(-memoryBytes));
    const all = Buffer.concat([pending, bytes]);
    const end = all.lastIndexOf(newline) + 1;
    pending = all.subarray(end);
    return all.subarray(0, end);
  };

  const remainder = async (): Promise<Buffer> => {
    const rotated = await readFile(`${path}.1`).catch(() => Buffer.alloc(0));
    const at = memory.length === 0 ? -1 : rotated.lastIndexOf(memory);
    return at === -1 ? Buffer.alloc(0) : rotated.subarray(at + memory.length);
  };

  return {
    seekTail: async (lines) => {
      position = await tailPosition(path, lines);
    },
    rest: () => pending,
    read: async function* () {
      const file = await open(path).catch((error: unknown) => {
        if (errnoOf(error) !== 'ENOENT') throw error;
      });
      if (!file) return;
      try {
        if ((await file.stat()).size < position) {
          yield take(await remainder());
          position = 0;
          memory = Buffer.alloc(0);
        }
        for (;;) {
          const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, position);
          if (bytesRead === 0) return;
          position += bytesRead;
          yield take(buffer.subarray(0, bytesRead));
        }
      } finally {
        await file.close();
      }
    },
  };
}

/** Offset of the line that is `lines` before the end, found from the end backwards. */
async function tailPosition(path: string, lines: number): Promise<number> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    let wanted = lines;
    for (let end = size; end > 0;) {
      const start = Math.max(0, end - chunkBytes);
      const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
      // The line end at the very end of the file closes the last line; it doesn't begin another.
      for (let at = end === size ? buffer.length - 2 : buffer.length - 1; at >= 0; at--) {
        if (buffer[at] === newline && --wanted <= 0) return lines === 0 ? size : start + at + 1;
      }
      end = start;
    }
    return lines === 0 ? size : 0;
  } finally {
    await file.close();
  }
}

/** Yields the service whose log has just changed, again and again until `signal` is aborted (then it throws). Watches from the call on. */
export function watchLogs(directory: string, signal: AbortSignal): AsyncGenerator<string> {
  const changes = watchDirectory(directory, signal);
  return (async function* () {
    for await (const [, file] of changes) {
      const service = typeof file === 'string' ? serviceOfLog(file) : undefined;
      if (service !== undefined) yield service;
    }
  })();
}

function watchDirectory(directory: string, signal: AbortSignal): AsyncIterable<unknown[]> {
  try {
    return on(watch(directory, { signal }), 'change', { signal }) as AsyncIterable<unknown[]>;
  } catch (error) {
    if (errnoOf(error) !== 'EMFILE' && errnoOf(error) !== 'ENOSPC') throw error;
    throw new U7sError('inotify-limit', 'the kernel has no inotify instance left for this user', {
      fixes: ['sudo sysctl -w fs.inotify.max_user_instances=8192 fs.inotify.max_user_watches=524288'],
      cause: error,
    });
  }
}
