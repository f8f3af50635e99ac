import { randomBytes } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile } from '../download/checksum.js';
import { orDiskFull } from '../errors.js';
import { publishFolder } from '../../lib/atomic-file.js';
import { exists } from '../../lib/exists.js';
import { withLock } from '../../lib/lock-file.js';
import { readInstalled, type Manifest, type ResolvedArtifact } from './store.js';
import type { ArtifactName } from '../artifact.js';

export type Target = {
  store: string;
  name: ArtifactName;
  /** Folder name below the artifact's own. */
  id: string;
  signal: AbortSignal;
  onWait: (pid: number) => void;
};

/** What `fill` has put into `<staging>/bin`; everything in `<staging>/work` is deleted. */
export type Filled = Pick<Manifest, 'version' | 'way' | 'source'>;

/**
 * Installs one artifact in one step: `fill` works in a folder next to the target, which then gets the target's name. Of
 * several processes, one does the work. A failure or an abort leaves nothing.
 */
export async function install(
  target: Target,
  fill: (staging: string) => Promise<Filled>,
): Promise<ResolvedArtifact> {
  const { store, name, id, signal } = target;
  const parent = join(store, name);
  const directory = join(parent, id);
  try {
    await mkdir(parent, { recursive: true, mode: 0o755 });
    return await withLock(join(parent, `.${id}.lock`), signal, target.onWait, async () => {
      const present = readInstalled(store, name, id);
      if (present) return present;
      await removeLeftovers(parent, id);
      const staging = join(parent, `.${id}.${randomBytes(4).toString('hex')}.tmp`);
      try {
        await mkdir(join(staging, 'bin'), { recursive: true });
        const filled = await fill(staging);
        signal.throwIfAborted();
        await rm(join(staging, 'work'), { recursive: true, force: true });
        const manifest: Manifest = { name, ...filled, files: await describe(staging) };
        await writeFile(join(staging, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
        for (const folder of [staging, ...folders.map((name) => join(staging, name))])
          if (await exists(folder)) await chmod(folder, 0o755);
        await rm(directory, { recursive: true, force: true });
        await publishFolder(staging, directory);
      } finally {
        await rm(staging, { recursive: true, force: true });
      }
      const installed = readInstalled(store, name, id);
      if (!installed) throw new Error(`${directory} was removed while it was installed`);
      return { ...installed, cached: false };
    });
  } catch (error) {
    signal.throwIfAborted();
    throw orDiskFull(error, store);
  }
}

/** Left by a process that was killed; we hold the lock, so nobody works in them. */
async function removeLeftovers(parent: string, id: string): Promise<void> {
  for (const entry of await readdir(parent)) {
    if (entry.startsWith(`.${id}.`) && entry.endsWith('.tmp')) {
      await rm(join(parent, entry), { recursive: true, force: true });
    }
  }
}

async function describe(staging: string): Promise<Manifest['files']> {
  const files: Manifest['files'] = {};
  for (const folder of folders) {
    for (const file of (await readdir(join(staging, folder)).catch(() => [])).sort()) {
      const path = join(staging, folder, file);
      const status = await lstat(path);
      files[`${folder}/${file}`] = status.isSymbolicLink()
        ? { link: await readlink(path) }
        : { sha256: await hashFile(path), size: status.size };
    }
  }
  return files;
}

/** Programs, and documents. */
const folders = ['bin', 'share'];
