import type { ArtifactName } from '../artifacts/catalog.js';
import { ensureArtifacts, type ResolvedArtifact } from '../artifacts/resolve.js';
import type { Remembered } from '../settings/remembered.js';
import { artifactContext } from './artifact-context.js';
import type { Cli } from '../cli/command.js';

/** Programs of a cluster, those that it was given by path among them. */
export async function clusterArtifacts(
  cli: Cli,
  remembered: Pick<Remembered, 'artifactPaths'> | undefined,
  names: readonly ArtifactName[],
): Promise<Map<ArtifactName, ResolvedArtifact>> {
  return ensureArtifacts(names, await artifactContext(cli, { given: remembered?.artifactPaths ?? {} }));
}
