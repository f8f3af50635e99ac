import { createReadStream, createWriteStream } from 'node:fs';
import { open, readdir, rename, stat, truncate, type FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { dirname, join } from 'node:path';
import { errnoOf } from '../lib/errors.js';
import { makeMissingDir } from './generated-files.js';

/** `x.log`, `x.log.1` and `x.log.2` of at most 10 MiB each. */
const logLimits = { bytes: 10 * 2 ** 20, files: 3 };

const suffix = '.log';

export function logPath(logs: string, service: string): string {
  return join(logs, `${service}${suffix}`);
}

/** The opposite: whose log a file is, undefined for a file that is no log or an older part of one. */
export function serviceOfLog(file: string): string | undefined {
  return file.endsWith(suffix) && !rotatedByWriter.test(file) ? file.slice(0, -suffix.length) : undefined;
}

/** `<service>-<time>.log`, later `.log.gz`: the form of Go's lumberjack, by which programs rotate their logs themselves. */
const rotatedByWriter = /-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}\.log(\.gz)?$/;

/** The older parts of a service's log, oldest first. */
export async function olderLogs(logs: string, service: string): Promise<string[]> {
  const rotated = (await readdir(logs)).filter(
    (file) => file.startsWith(`${service}-`) && rotatedByWriter.test(file.slice(service.length)),
  );
  const ages = Array.from({ length: logLimits.files - 1 }, (_, index) => logLimits.files - 1 - index);
  return [
    ...rotated.sort().map((file) => join(logs, file)),
    ...ages.map((age) => `${logPath(logs, service)}.${age}`),
  ];
}

/**
 * Opens a log for a child to write to by itself, so that it is never held up by us. Appending, for then its writes
 * go to the end wherever rotation has put that.
 */
export async function openLog(path: string, limits = logLimits): Promise<FileHandle> {
  await rotateLog(path, limits);
  await makeMissingDir(dirname(path));
  const file = await open(path, 'a', 0o600);
  await file.chmod(0o600); // whatever the umask
  return file;
}

/**
 * Copies a log that has grown too large to `<path>.1`, older ones to `.2` and so on, and empties it in place, for
 * its writer keeps it open. Of more than `limits.bytes` the newest are kept. Lines that are written between the copy
 * and the emptying are lost.
 */
export async function rotateLog(path: string, limits = logLimits): Promise<void> {
  const size = await sizeOf(path);
  if (size < limits.bytes) return;
  for (let age = limits.files - 2; age >= 1; age--) {
    await rename(`${path}.${age}`, `${path}.${age + 1}`).catch(ignoreMissing);
  }
  const copy = await open(`${path}.1`, 'w', 0o600);
  await copy.chmod(0o600);
  await pipeline(
    createReadStream(path, { start: size - limits.bytes, end: size - 1 }),
    createWriteStream('', { fd: copy }),
  );
  await truncate(path);
}

/** Logs are looked at this often; one that floods may outgrow its limit in between. */
const rotationPeriodMs = 30_000;

/** Rotates the logs as they grow, until what is returned is called. */
export function keepRotated(paths: readonly string[]): () => void {
  const timer = setInterval(() => {
    // A log that cannot be rotated, on a full disk for example, must not take its writer down.
    for (const path of paths) rotateLog(path).catch(() => {});
  }, rotationPeriodMs).unref();
  return () => clearInterval(timer);
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    ignoreMissing(error);
    return 0;
  }
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error;
}
