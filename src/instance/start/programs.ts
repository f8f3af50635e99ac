import type { ArtifactName } from '../../artifacts/artifact.js';
import { ensureArtifacts } from '../../artifacts/resolve.js';
import { codeOf, fixesOf, messageOf, U7sError } from '../../lib/errors.js';
import { u7s } from '../../lib/fixes.js';
import { artifactsOf, artifactsOfFeature, type Artifacts } from '../../plan/artifacts.js';
import { features, hasFeature, type Feature } from '../../settings/features.js';
import type { Settings } from '../../settings/schema.js';
import { artifactContext } from '../artifact-context.js';
import type { InstanceContext } from '../context.js';

/**
 * Gets everything that runs. A node does without a feature whose program cannot be had, as where there is no Go to build
 * it: `lacking` names those.
 */
export async function ensurePrograms(
  context: InstanceContext,
  settings: Settings,
  further: readonly ArtifactName[] = [],
): Promise<{ artifacts: Artifacts; lacking: Feature[] }> {
  const { report, signal } = context;
  const options = artifactContext(context, {
    artifacts: settings.artifacts,
    given: settings.artifactPaths,
    rehash: true,
  });
  const needed = artifactsOf({ ...settings, without: [...features] });
  const artifacts = await ensureArtifacts([...needed, ...further], options);
  const lacking: Feature[] = [];
  for (const feature of features.filter((each) => hasFeature(settings, each))) {
    try {
      for (const [name, artifact] of await ensureArtifacts(artifactsOfFeature[feature], options))
        artifacts.set(name, artifact);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof U7sError)) throw error;
      lacking.push(feature);
      report({
        kind: 'warning',
        code: codeOf(error) ?? 'artifact-unavailable',
        text: `this node runs without ${feature}: ${messageOf(error)}`,
        fixes: [
          ...fixesOf(error),
          u7s(['up', '--without', feature], { text: 'or do without it, and without this warning' }),
        ],
      });
    }
  }
  return { artifacts, lacking };
}
