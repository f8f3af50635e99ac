import { join } from 'node:path';
import type { ArtifactName } from '../artifacts/artifact.js';
import { documentsIn } from '../artifacts/store/documents.js';
import type { ResolvedArtifact } from '../artifacts/store/store.js';
import { programImage, type BundledImage } from '../images/bundled.js';
import { loadAddons } from '../kube/addons.js';
import { architecture } from '../lib/architecture.js';
import type { AddonPlan } from '../plan/types.js';
import type { Addon, AddonArtifacts } from './addon.js';

/** Its image, kept between starts for all instances of the user, and what is applied, which names that image. */
export async function prepareAddon(
  { paths, projectRoot, signal }: { paths: { images: string }; projectRoot: string; signal: AbortSignal },
  { name, image, imagePlaceholder, definitions }: Addon,
  artifacts: AddonArtifacts,
  nodeName: string,
): Promise<{ image: BundledImage; plan: AddonPlan }> {
  const { binaries, version } = required(artifacts, image.artifact);
  const binary = binaries[image.name] ?? '';
  const spec = image.spec({ architecture: architecture(), binary, version });
  const made = await programImage(paths.images, image.name, spec, binary, signal);
  const values = { [imagePlaceholder]: made.reference, NODE_NAME: nodeName };
  const { directory } = required(artifacts, definitions.artifact);
  const plan = {
    name,
    nodeName,
    objects: await loadAddons(join(projectRoot, 'config/addons', name), values),
    definitions: join(documentsIn(directory), definitions.file),
  };
  return { image: made, plan };
}

function required(artifacts: AddonArtifacts, name: ArtifactName): ResolvedArtifact {
  const artifact = artifacts.get(name);
  if (artifact === undefined) throw new Error(`the add-on needs ${name}`);
  return artifact;
}
