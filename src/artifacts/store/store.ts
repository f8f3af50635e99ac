import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { ArtifactName, Origin, Way } from '../artifact.js';
import { catalog } from '../catalog.js';

export type ResolvedArtifact = {
  name: ArtifactName;
  version: string;
  way: Origin;
  /** Whether it was installed before. */
  cached: boolean;
  directory: string;
  /** Name → absolute path. */
  binaries: Record<string, string>;
};

/** `manifest.json`, next to `bin/`: what was installed, and from where. */
export type Manifest = {
  name: ArtifactName;
  /** For the host's own binaries, the version that they report. */
  version: string;
  way: Way;
  /** URLs, Go modules with patches, or paths on the host. */
  source: string[];
  /** By path below the directory. */
  files: Record<string, { sha256: string; size: number } | { link: string }>;
};

/** What is installed under `id`; undefined when nothing is, or when a file is missing or truncated. */
export function readInstalled(store: string, name: ArtifactName, id: string): ResolvedArtifact | undefined {
  const directory = join(store, name, id);
  const manifest = readManifest(directory);
  if (!manifest) return undefined;
  try {
    for (const [path, file] of Object.entries(manifest.files)) {
      accessSync(join(directory, path), path.startsWith('bin/') ? constants.X_OK : constants.R_OK);
      if ('size' in file && statSync(join(directory, path)).size !== file.size) return undefined;
    }
    return resolvedOf(manifest, directory);
  } catch {
    return undefined;
  }
}

export function readManifest(directory: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as Manifest;
  } catch {
    return undefined;
  }
}

function resolvedOf(manifest: Manifest, directory: string): ResolvedArtifact {
  const { name, version, way, files } = manifest;
  const binaries = catalog[name].binaries.map((binary): [string, string] => {
    const file = files[`bin/${binary}`];
    if (!file) throw new Error(`no bin/${binary}`);
    return [binary, 'link' in file && isAbsolute(file.link) ? file.link : join(directory, 'bin', binary)];
  });
  return { name, version, way, cached: true, directory, binaries: Object.fromEntries(binaries) };
}
