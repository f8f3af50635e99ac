import type { Architecture } from '../lib/architecture.js';
import type { Report } from '../lib/events.js';
import type { GivenPaths, Way } from './artifact.js';

/** What it takes to find or get artifacts. */
export type ArtifactContext = {
  /** Folder that all instances of the user share. */
  store: string;
  /** Another store, looked into first and never written to: what came with this installation, as in a bundle. */
  bundled?: string;
  /** Go's module and build caches. */
  goCache: string;
  /** Folder that holds config/, build/ and patches/. */
  projectRoot: string;
  arch: Architecture;
  way: Way | 'auto';
  /** By artifact: where the user has it. */
  given?: GivenPaths;
  /** Base URL to download from instead: `<mirror>/<host>/<path>`. */
  mirror?: string;
  /** Whether programs that have changed since their hash was last right are hashed again. */
  rehash?: boolean;
  env: Record<string, string | undefined>;
  report: Report;
  signal: AbortSignal;
};
