import { join } from 'node:path';
import type { GivenPaths } from '../artifacts/artifact.js';
import type { ArtifactContext } from '../artifacts/context.js';
import { architecture } from '../lib/architecture.js';
import type { InstanceContext } from './context.js';

export type ArtifactOptions = {
  /** Which way the binaries are obtained; `auto` without it. */
  artifacts?: ArtifactContext['way'];
  /** Those that the user has given by path. */
  given?: GivenPaths;
  /** Whether programs that have changed are looked for. */
  rehash?: boolean;
};

/** Where this user's artifacts are and how to obtain those that are missing. All instances share them. */
export function artifactContext(
  {
    paths,
    projectRoot,
    env,
    report,
    signal,
  }: Pick<InstanceContext, 'paths' | 'projectRoot' | 'env' | 'report' | 'signal'>,
  options: ArtifactOptions = {},
): ArtifactContext {
  const mirror = env['U7S_MIRROR'];
  return {
    store: paths.artifacts,
    bundled: bundledArtifacts(projectRoot),
    goCache: paths.goCache,
    projectRoot,
    arch: architecture(),
    way: options.artifacts ?? 'auto',
    given: options.given ?? {},
    rehash: options.rehash ?? false,
    ...(mirror ? { mirror } : {}),
    env,
    report,
    signal,
  };
}

/** The store that a bundle brings; other installations have none. */
export const bundledArtifacts = (projectRoot: string): string => join(projectRoot, 'artifacts');
