import { createHash } from 'node:crypto';
// Synchronous: a start reads some thirty small files here, which takes 5 ms this way and 25 ms through promises.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from '../lib/architecture.js';
import { errnoOf, U7sError } from '../lib/errors.js';
import type { Artifact, ArtifactName, Way } from './artifact.js';
import { catalog } from './catalog.js';

/** One file of an upstream release. Exactly one of the checksums is enough; all that are given must match. */
export type LockEntry = {
  name: string;
  version: string;
  arch: Architecture;
  url: string;
  kind: 'binary' | 'tar.gz';
  sha256?: string;
  sha512?: string;
  /** Bytes, where they are known. They decide what a file with another sum is, and nothing about what is installed. */
  size?: number;
  /** Paths of the executables in an archive; the last part is the executable's name. */
  members?: string[];
};

/** An artifact with everything that determines its files. */
export type Recipe = {
  name: ArtifactName;
  artifact: Artifact;
  downloads: LockEntry[];
  /** Folder of its Go module. */
  buildDirectory: string;
  /** Patch files in the order of the series. */
  patches: string[];
  /**
   * Folder name in the store for each way. It contains a hash of that way's inputs only: a new checksum causes no build, a
   * new patch causes no download, and the same artifact may be there twice, got in two ways.
   */
  ids: Record<Way, string>;
};

export function readLock(projectRoot: string): LockEntry[] {
  const path = join(projectRoot, 'config', 'artifacts.lock.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { artifacts: LockEntry[] }).artifacts;
}

export function readRecipe(
  name: ArtifactName,
  source: { projectRoot: string; arch: Architecture },
  lock: readonly LockEntry[],
): Recipe {
  const artifact = catalog[name];
  const { version, binaries, build } = artifact;
  const downloads = artifact.downloads.flatMap((download) =>
    lock.filter(
      (entry) => entry.name === download && entry.version === version && entry.arch === source.arch,
    ),
  );
  const buildDirectory = join(source.projectRoot, 'build', name);
  const patchDirectory = join(source.projectRoot, 'patches', name, version);
  const sources = build ? readSources(buildDirectory) : [];
  const patches = build ? readSeries(patchDirectory) : [];
  return {
    name,
    artifact,
    downloads,
    buildDirectory,
    patches: patches.map(([file]) => join(patchDirectory, file)),
    ids: {
      download: `${version}-${hash({ binaries, downloads: downloads.map((entry) => ({ ...entry, size: undefined })) })}`,
      build: `${version}-${hash({ binaries, build, arch: source.arch, sources, patches })}`,
      host: `host-${hash({ binaries })}`,
    },
  };
}

/**
 * Ways that `wanted` allows, best first. What has patches is preferably built, since the other ways lack them. What can be
 * got in one way only is got that way, whatever is wanted.
 */
export function waysOf(recipe: Recipe, wanted: Way | 'auto'): Way[] {
  const { downloads, build } = recipe.artifact;
  // Our own programs exist as source only.
  if (downloads.length === 0) return [build ? 'build' : 'host'];
  if (wanted !== 'auto') return [wanted];
  if (recipe.patches.length > 0) return ['build', 'download', 'host'];
  return build ? ['download', 'build', 'host'] : ['download', 'host'];
}

type NamedContent = [file: string, content: string];

function readSources(directory: string): NamedContent[] {
  const files = readdirSync(directory).filter((file) => /^go\.(mod|sum)$|\.go$/.test(file));
  return files.sort().map((file) => [file, readFileSync(join(directory, file), 'utf8')]);
}

function readSeries(directory: string): NamedContent[] {
  let series: string;
  try {
    series = readFileSync(join(directory, 'series'), 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
  const files = series.split('\n').map((line) => line.replace(/#.*/, '').trim());
  return files
    .filter((file) => file !== '')
    .map((file) => {
      try {
        return [file, readFileSync(join(directory, file), 'utf8')];
      } catch (error) {
        throw new U7sError(
          'patch-missing',
          `${join(directory, 'series')} lists ${file}, which cannot be read`,
          {
            fixes: ['restore the patch', 'remove it from the series'],
            cause: error,
          },
        );
      }
    });
}

function hash(inputs: unknown): string {
  return createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 12);
}
