import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from '../lib/exec.js';
import { U7sError } from '../lib/errors.js';
import type { ArtifactName } from './artifact.js';
import { catalog } from './catalog.js';
import { findOnPath } from './build/go.js';
import type { Recipe } from './recipe.js';
import type { Filled } from './store/install.js';

type Env = Record<string, string | undefined>;

/** Folders of administrators' programs, which an ordinary user's PATH lacks on Debian. */
export const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The host's own binaries of an artifact. Throws when one is missing. */
export async function findOnHost(recipe: Recipe, env: Env): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const binary of recipe.artifact.binaries) {
    const path = await findOnPath(binary, env, systemFolders);
    if (!path) {
      const { hostPackage } = recipe.artifact;
      const fixes =
        hostPackage === undefined
          ? []
          : [`sudo apt-get install ${hostPackage.apt}`, `on Fedora: sudo dnf install ${hostPackage.dnf}`];
      throw new U7sError('not-installed', `there is no ${binary} on PATH`, { fixes });
    }
    found[binary] = path;
  }
  return found;
}

/** Records the host's binaries as links, so that the next start finds them without asking the network. */
export async function linkHost(
  name: ArtifactName,
  binaries: Record<string, string>,
  staging: string,
  env: Env,
): Promise<Filled> {
  for (const [program, path] of Object.entries(binaries)) await symlink(path, join(staging, 'bin', program));
  const version = await hostVersion(name, binaries, env);
  const { oldestMajor = 0, binaries: programs } = catalog[name];
  if (Number.parseInt(version) < oldestMajor) {
    const path = binaries[programs[0] ?? ''];
    throw new U7sError('too-old', `${path} is ${version}; ${oldestMajor} or newer is needed`);
  }
  return { version, way: 'host', source: Object.values(binaries) };
}

/**
 * The version that an artifact's first program reports; `unknown` when it reports none. It gets a runtime directory of its
 * own, since crio leaves folders there that nobody would remove.
 */
export async function hostVersion(
  name: ArtifactName,
  binaries: Record<string, string>,
  env: Env,
): Promise<string> {
  const { binaries: programs, versionArgs = ['--version'] } = catalog[name];
  const path = binaries[programs[0] ?? ''] ?? '';
  const scratch = await mkdtemp(join(tmpdir(), 'u7s-version-'));
  const said = await run(path, versionArgs, { env: { ...env, XDG_RUNTIME_DIR: scratch }, timeout: 5000 })
    .catch(() => undefined)
    .finally(() => rm(scratch, { recursive: true, force: true }));
  const lines = `${said?.stdout}\n${said?.stderr}`.split('\n');
  // fuse-overlayfs prints fusermount3's version first and libfuse's last.
  const own = lines.find((line) => line.startsWith(basename(path))) ?? lines.join('\n');
  return /\d+\.\d+[\w.+-]*/.exec(own)?.[0] ?? 'unknown';
}
