import type { GivenPaths } from '../artifacts/catalog.js';
import type { ArtifactContext } from '../artifacts/resolve.js';
import { architecture } from '../lib/architecture.js';
import type { Report } from '../lib/events.js';
import { defaultCluster } from '../settings/paths.js';
import { createReporter } from '../ui/reporter.js';
import type { Cli } from '../cli/command.js';
import { pathsOfCluster } from '../cli/globals.js';

export type ArtifactOptions = {
  /** Which way the binaries are got; `auto` without it. */
  artifacts?: ArtifactContext['way'];
  /** Those that the user has given by path. */
  given?: GivenPaths;
  /** Plain lines on stderr without it, which only come when something has to be got. */
  report?: Report;
};

/** Where this user's artifacts are and how to get those that are missing. All clusters share them. */
export async function artifactContext(cli: Cli, options: ArtifactOptions): Promise<ArtifactContext> {
  const paths = await pathsOfCluster(cli, defaultCluster);
  const mirror = cli.io.env['U7S_MIRROR'];
  return {
    store: paths.artifacts,
    goCache: paths.goCache,
    projectRoot: cli.projectRoot,
    arch: architecture(),
    way: options.artifacts ?? 'auto',
    given: options.given ?? {},
    ...(mirror ? { mirror } : {}),
    env: cli.io.env,
    report: options.report ?? createReporter(cli.io, { mode: 'plain' }).report,
    signal: cli.signal,
  };
}
