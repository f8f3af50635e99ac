import { join } from 'node:path';
import type { ArtifactName } from '../artifacts/artifact.js';
import { ensureArtifacts } from '../artifacts/resolve.js';
import { programEntries } from '../bundle/artifact-entries.js';
import { tarOf } from '../bundle/archive.js';
import { bundleEntries } from '../bundle/create.js';
import type { Architecture } from '../lib/architecture.js';
import { artifactsOf } from '../plan/artifacts.js';
import { resolveSettings } from '../settings/resolve.js';
import { artifactContext } from './artifact-context.js';
import type { InstanceContext } from './context.js';

export type BundleOptions = {
  arch: Architecture;
  presets: readonly string[];
  version: string;
  nodeAtHand: boolean;
};

/** A bundle as a tar archive: one folder, with all that these presets need, for one node and for several. */
export async function createBundle(
  context: InstanceContext,
  { arch, presets, version, nodeAtHand }: BundleOptions,
): Promise<AsyncIterable<Buffer>> {
  const entries = await bundleEntries({
    artifacts: { ...artifactContext(context), arch },
    names: await namesOf(context, presets, true),
    version,
    nodeCache: join(context.paths.dataHome, 'node'),
    nodeAtHand,
  });
  return tarOf(entries, 'usernetes');
}

/** The programs of these presets, as a tar archive of nothing but them. */
export async function programArchive(
  context: InstanceContext,
  presets: readonly string[],
): Promise<AsyncIterable<Buffer>> {
  const resolved = await ensureArtifacts(await namesOf(context, presets, false), artifactContext(context));
  return tarOf(await programEntries(resolved.values()), '.');
}

async function namesOf(
  { projectRoot, env }: InstanceContext,
  presets: readonly string[],
  forSeveral: boolean,
): Promise<ArtifactName[]> {
  const names = new Set<ArtifactName>();
  for (const preset of presets) {
    const settings = await resolveSettings({ preset, projectRoot, env });
    const severalNodes = forSeveral && settings.kubernetes;
    for (const name of artifactsOf({ ...settings, severalNodes })) names.add(name);
    if (severalNodes) names.add('netcheck');
  }
  return [...names].sort();
}
