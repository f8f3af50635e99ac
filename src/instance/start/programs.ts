import { hasCharts } from '../../addons/manifests/files.js';
import { addons } from '../../addons/table.js';
import type { ArtifactName } from '../../artifacts/artifact.js';
import { ensureArtifacts } from '../../artifacts/resolve.js';
import { codeOf, fixesOf, messageOf, U7sError } from '../../lib/errors.js';
import { u7s, type Fix } from '../../lib/fixes.js';
import { artifactsOf, artifactsOfFeature, type Artifacts } from '../../plan/artifacts.js';
import { addonsOf, type AddonName } from '../../settings/addon-names.js';
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
): Promise<{ artifacts: Artifacts; lacking: Feature[]; lackingAddons: AddonName[] }> {
  const { report, signal } = context;
  const options = artifactContext(context, {
    artifacts: settings.artifacts,
    given: settings.artifactPaths,
    rehash: true,
  });
  const needed = artifactsOf({ ...settings, without: [...features] });
  const artifacts = await ensureArtifacts([...needed, ...further], options);
  const has = async (what: string, names: readonly ArtifactName[], without: Fix): Promise<boolean> => {
    try {
      for (const [name, artifact] of await ensureArtifacts(names, options)) artifacts.set(name, artifact);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof U7sError)) throw error;
      report({
        kind: 'warning',
        code: codeOf(error) ?? 'artifact-unavailable',
        text: `this node runs without ${what}: ${messageOf(error)}`,
        fixes: [...fixesOf(error), without],
      });
      return false;
    }
  };
  const text = 'or do without it, and without this warning';
  const lacking: Feature[] = [];
  for (const feature of features.filter((each) => hasFeature(settings, each))) {
    const without = u7s(['up', '--without', feature], { text });
    if (!(await has(feature, artifactsOfFeature[feature], without))) lacking.push(feature);
  }
  const lackingAddons: AddonName[] = [];
  for (const name of addonsOf(settings)) {
    const without = u7s(['addon', 'disable', name], { text });
    if (!(await has(`the add-on ${name}`, addons[name].artifacts, without))) lackingAddons.push(name);
  }
  const isControlPlane = settings.kubernetes && settings.controlPlane === undefined;
  if (isControlPlane && (await hasCharts(context.paths.manifests)))
    await has('charts', ['helm'], 'or take the *.chart.yaml out of the folder of manifests');
  return { artifacts, lacking, lackingAddons };
}
