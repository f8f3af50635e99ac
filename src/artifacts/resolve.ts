import { join } from 'node:path';
import { ways, type ArtifactName, type Origin, type Way } from './artifact.js';
import { artifactNames } from './catalog.js';
import type { ArtifactContext } from './context.js';
import { readLock, readRecipe, waysOf, type Recipe } from './recipe.js';
import { readInstalled, readManifest, type ResolvedArtifact } from './store/store.js';

/**
 * Finds or gets every artifact in `names`: from the cache, else by download, else by build, else from the host. When all
 * are in the cache, this only reads small files. A failure of one stops the others and leaves nothing half-finished.
 */
export async function ensureArtifacts(
  names: readonly ArtifactName[],
  context: ArtifactContext,
): Promise<Map<ArtifactName, ResolvedArtifact>> {
  const lock = readLock(context.projectRoot);
  const { given = {} } = context;
  const found = await Promise.all(
    names.map(async (name): Promise<[ArtifactName, ResolvedArtifact | Recipe]> => {
      const path = given[name];
      if (path !== undefined)
        return [name, await (await import('./given.js')).findGiven(name, path, context)];
      const recipe = readRecipe(name, context, lock);
      return [name, (await findUnchanged(recipe, context)) ?? recipe];
    }),
  );
  const missing = found.flatMap(([, result]) => ('ids' in result ? [result] : []));
  const acquired = new Map<ArtifactName, ResolvedArtifact>();
  if (missing.length > 0) {
    const { acquireAll } = await import('./acquire.js');
    for (const artifact of await acquireAll(missing, context)) acquired.set(artifact.name, artifact);
  }
  return new Map(
    found.map(([name, result]) => [
      name,
      'ids' in result ? (acquired.get(name) as ResolvedArtifact) : result,
    ]),
  );
}

/** What it takes to find what is installed. */
export type InstalledContext = Pick<ArtifactContext, 'store' | 'bundled' | 'projectRoot' | 'arch' | 'way'>;

/** An artifact, if it is installed; nothing is done to get it. */
export function installedArtifact(
  name: ArtifactName,
  context: InstalledContext,
): ResolvedArtifact | undefined {
  return findInstalled(readRecipe(name, context, readLock(context.projectRoot)), context);
}

/** Where a program of an artifact is, or will be once it is got. */
export function placeOfProgram(name: ArtifactName, program: string, context: ArtifactContext): string {
  const recipe = readRecipe(name, context, readLock(context.projectRoot));
  const given = findInstalled(recipe, context)?.binaries[program];
  const [way = 'build'] = waysOf(recipe, context.way);
  return given ?? join(context.store, name, recipe.ids[way], 'bin', program);
}

/** `way` is missing when it is not installed. */
export type ListedArtifact = {
  name: ArtifactName;
  version: string;
  way?: Origin;
  binaries: Record<string, string>;
};

/** What `ensureArtifacts` would use now; the host's own binaries report their version. */
export async function listArtifacts(context: ArtifactContext): Promise<ListedArtifact[]> {
  const lock = readLock(context.projectRoot);
  return Promise.all(
    artifactNames.map(async (name): Promise<ListedArtifact> => {
      const recipe = readRecipe(name, context, lock);
      const installed = findInstalled(recipe, context);
      if (!installed) return { name, version: recipe.artifact.version, binaries: {} };
      const { way, binaries } = installed;
      const version =
        way === 'host'
          ? await (await import('./host.js')).hostVersion(name, binaries, context.env)
          : installed.version;
      return { name, version, way, binaries };
    }),
  );
}

export type VerifiedFile = {
  name: ArtifactName;
  way: Way;
  directory: string;
  path: string;
  state: 'ok' | 'changed' | 'missing';
};

/** Compares the hash of every installed file with the manifest; the host's own binaries must only exist. */
export async function verifyArtifacts(context: ArtifactContext): Promise<VerifiedFile[]> {
  const { hashFile } = await import('./download/checksum.js');
  const lock = readLock(context.projectRoot);
  const verified: VerifiedFile[] = [];
  for (const name of artifactNames) {
    const recipe = readRecipe(name, context, lock);
    for (const [store, way] of storesOf(context).flatMap((each) => ways.map((way) => [each, way] as const))) {
      const directory = join(store, name, recipe.ids[way]);
      const manifest = readManifest(directory);
      for (const [file, expected] of Object.entries(manifest?.files ?? {})) {
        context.signal.throwIfAborted();
        const path = join(directory, file);
        const hash = await hashFile(path).catch(() => undefined);
        const same = 'link' in expected || hash === expected.sha256;
        verified.push({
          name,
          way,
          directory,
          path,
          state: hash === undefined ? 'missing' : same ? 'ok' : 'changed',
        });
      }
    }
  }
  return verified;
}

/** One that has changed counts as missing; of a bundle, it is left where it is. */
async function findUnchanged(
  recipe: Recipe,
  context: ArtifactContext,
): Promise<ResolvedArtifact | undefined> {
  const refused = new Set<string>();
  for (;;) {
    const installed = findInstalled(recipe, context, refused);
    if (installed === undefined || !context.rehash) return installed;
    const { changedFiles, discard } = await import('./store/seen.js');
    const changed = await changedFiles(installed);
    if (changed.length === 0) return installed;
    refused.add(installed.directory);
    if (installed.directory.startsWith(`${context.store}/`)) await discard(installed);
    context.report({
      kind: 'warning',
      text: `${recipe.name}: ${changed.join(', ')} in ${installed.directory} is not what was installed; it is got again`,
      code: 'artifact-changed',
    });
  }
}

function findInstalled(
  recipe: Recipe,
  context: InstalledContext,
  refused: ReadonlySet<string> = new Set(),
): ResolvedArtifact | undefined {
  for (const way of waysOf(recipe, context.way)) {
    for (const store of storesOf(context)) {
      if (refused.has(join(store, recipe.name, recipe.ids[way]))) continue;
      const installed = readInstalled(store, recipe.name, recipe.ids[way]);
      if (installed) return installed;
    }
  }
  return undefined;
}

const storesOf = ({ bundled, store }: Pick<ArtifactContext, 'bundled' | 'store'>): string[] =>
  bundled === undefined || bundled === store ? [store] : [bundled, store];
