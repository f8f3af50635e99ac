import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { extract } from 'tar';
import { step } from '../../lib/events.js';
import { isExecutable } from '../../lib/exists.js';
import { run, runOk } from '../../lib/exec.js';
import { codeOf, messageOf, U7sError, fixesOf } from '../../lib/errors.js';
import { withLock } from '../../lib/lock-file.js';
import { fetchEntry, surveyEntry } from '../download/entry.js';
import { orDiskFull } from '../errors.js';
import { requireSound } from '../store/extract.js';
import { findGo } from './go.js';
import { createByteCounter } from '../progress.js';
import { readLock, type LockEntry } from '../recipe.js';
import { needsOf, type Needs } from '../store/space.js';
import type { Session } from '../session.js';

/** Go is there, or can be had. `get` returns its path. */
export type OpenGo = { needs?: Needs; get: () => Promise<string> };

/**
 * The host's Go, else the one that was downloaded before, else the lock file's, which is downloaded when it is needed:
 * nobody has to install a compiler. Throws when there is none of them.
 */
export async function openGo(session: Session): Promise<OpenGo> {
  try {
    const path = await findGo(session.env);
    return { get: () => Promise.resolve(path) };
  } catch (error) {
    if (codeOf(error) !== 'no-go') throw error;
    const entry = readLock(session.projectRoot).find(
      ({ name, arch }) => name === 'go' && arch === session.arch,
    );
    if (entry === undefined) throw error;
    const path = join(folderOf(entry, session), 'bin', 'go');
    if (await isExecutable(path)) return { get: () => Promise.resolve(path) };
    const size = await surveyEntry(entry, session).catch((unreachable: unknown) => {
      session.signal.throwIfAborted();
      throw new U7sError('no-go', `${messageOf(error)}, and ${messageOf(unreachable)}`, {
        fixes: [...fixesOf(error), ...fixesOf(unreachable)],
        cause: error,
      });
    });
    return {
      needs: needsOf([{ entry, size }]),
      get: () => session.once('go', () => install(entry, session)),
    };
  }
}

const folderOf = (entry: LockEntry, { store }: Session): string =>
  join(store, 'go', `${entry.version}-${entry.sha256?.slice(0, 12)}`);

async function install(entry: LockEntry, session: Session): Promise<string> {
  const { report, signal, store } = session;
  const folder = folderOf(entry, session);
  const go = join(folder, 'bin', 'go');
  const parent = join(store, 'go');
  await mkdir(parent, { recursive: true, mode: 0o755 });
  const onWait = (pid: number): void => session.note(`Go: waiting for process ${pid}, which already gets it`);
  await withLock(join(parent, `.${entry.version}.lock`), signal, onWait, async () => {
    if (await isExecutable(go)) return;
    await step(report, 'download:go', `download Go ${entry.version}, to build with`, async (progress) => {
      const show = createByteCounter(1, progress);
      const archive = await fetchEntry(entry, session, (received, total) => show(0, received, total));
      const staging = `${folder}.tmp`;
      await rm(staging, { recursive: true, force: true });
      try {
        await unpack(archive.path, staging, signal);
        await rename(staging, folder);
      } catch (error) {
        throw orDiskFull(error, store);
      } finally {
        await rm(staging, { recursive: true, force: true });
      }
      await archive.remove();
    });
  });
  return go;
}

/** Some 14,000 files: they are made durable all at once, and not one by one. */
async function unpack(archive: string, staging: string, signal: AbortSignal): Promise<void> {
  await requireSound(archive);
  await mkdir(staging, { recursive: true });
  await extract({ file: archive, cwd: staging, strip: 1, strict: true, preserveOwner: false });
  await chmod(staging, 0o755);
  signal.throwIfAborted();
  const go = join(staging, 'bin', 'go');
  await runOk(go, ['version'], { cwd: '/', env: { GOTOOLCHAIN: 'local', HOME: staging } }).catch(
    (cause: unknown) => {
      throw new U7sError('not-executable', `Go does not run here: ${messageOf(cause)}`, { cause });
    },
  );
  await run('sync', ['-f', staging]).catch(() => undefined);
}
