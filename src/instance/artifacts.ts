import type { ArtifactName } from '../artifacts/artifact.js';
import type { ResolvedArtifact } from '../artifacts/store/store.js';
import { ensureArtifacts } from '../artifacts/resolve.js';
import type { Remembered } from '../settings/remembered.js';
import { artifactContext } from './artifact-context.js';
import type { InstanceContext } from './context.js';

/** Programs of an instance, including those that it was given by path. */
export async function instanceArtifacts(
  context: InstanceContext,
  remembered: Pick<Remembered, 'artifactPaths'> | undefined,
  names: readonly ArtifactName[],
): Promise<Map<ArtifactName, ResolvedArtifact>> {
  return ensureArtifacts(names, artifactContext(context, { given: remembered?.artifactPaths ?? {} }));
}
