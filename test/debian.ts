import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveHomeDirs } from '#src/host/user-dirs.js';
import { ensureDir } from '#src/lib/atomic-file.js';
import { runOk } from '#src/lib/exec.js';
import { withLock } from '#src/lib/lock-file.js';

/** What this host gets its own Debian packages from. */
export async function debianSources(): Promise<string> {
  await runOk('apt-get', ['update']);
  const line = 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)';
  return `${await runOk('apt-get', ['indextargets', '--format', line, 'Created-By: Packages', 'Origin: Debian'])}\n`;
}

export async function debianRelease(): Promise<string> {
  const [, codename] = /^VERSION_CODENAME=(\w+)$/m.exec(await readFile('/etc/os-release', 'utf8')) ?? [];
  if (codename === undefined) throw new Error('/etc/os-release names no VERSION_CODENAME');
  return codename;
}

/** A folder of the cache that `make` has once filled, for the recipe of that key; those of other keys are removed. */
export async function cached(
  kind: string,
  key: string,
  make: (folder: string) => Promise<void>,
  signal: AbortSignal,
): Promise<string> {
  const cache = join(resolveHomeDirs(process.env).cacheHome, 'usernetes', kind);
  const folder = join(cache, key);
  await ensureDir(cache);
  await withLock(
    join(cache, 'lock'),
    signal,
    () => undefined,
    async () => {
      const kept = await readdir(cache);
      if (kept.includes(key)) return;
      for (const old of kept.filter((name) => name !== 'lock'))
        await rm(join(cache, old), { recursive: true, force: true });
      const scratch = await mkdtemp(join(cache, 'new-'));
      await make(scratch);
      await rename(scratch, folder);
    },
  );
  return folder;
}

/** A minimal Debian with these packages as a tar archive, which is made once; its place in the cache is `kind`. */
export async function debianTarball(
  kind: string,
  packages: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const recipe = [
    ...['--variant=minbase', '--format=tar', `--include=${packages.join(',')}`],
    ...['doc', 'man', 'locale'].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
  ];
  const key = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12);
  const make = async (folder: string): Promise<void> => {
    const sources = join(folder, 'sources.list');
    await writeFile(sources, await debianSources());
    const words = [...recipe, await debianRelease(), join(folder, 'root.tar'), sources];
    // In a mount namespace, so that nothing stays mounted when it is killed.
    await runOk('unshare', ['--mount', 'mmdebstrap', ...words]);
  };
  return join(await cached(kind, key, make, signal), 'root.tar');
}
