import { lstat, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ArtifactName } from '../artifacts/artifact.js';
import { hashFile } from '../artifacts/download/checksum.js';
import { readManifest, type Manifest, type ResolvedArtifact } from '../artifacts/store/store.js';
import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { sumOf, textEntry, treeEntries, type BundleEntry } from './entries.js';
import { goBuildInfo } from './go-build-info.js';
import { carryProgram, type HostLibrary } from './host-program.js';
import type { BundledProgram } from './sbom.js';

export type BundledArtifact = {
  entries: BundleEntry[];
  programs: BundledProgram[];
  libraries: HostLibrary[];
};

/** An artifact as a store has it, so that the bundle's folder is one. */
export async function artifactEntries(artifact: ResolvedArtifact): Promise<BundledArtifact> {
  const { name, directory } = artifact;
  const folder = `artifacts/${name}/${basename(directory)}`;
  if (artifact.way === 'host') return hostEntries(artifact, folder);
  const manifest = readManifest(directory);
  if (manifest === undefined) throw new Error(`${directory} has no manifest`);
  const programs: BundledProgram[] = [];
  for (const [path, file] of Object.entries(manifest.files)) {
    if ('link' in file) continue;
    const from = join(directory, path);
    const sha256 = await hashFile(from);
    if (sha256 !== file.sha256) throw hasChanged(name, from);
    const info = await goBuildInfo(from);
    const program = basename(path);
    programs.push({ artifact: name, version: manifest.version, program, sha256, ...(info ? { info } : {}) });
  }
  const entries = await treeEntries(folder, directory, (path) => !isPart(path, folder));
  return { entries, programs, libraries: [] };
}

/** Notes on when files were last seen stay behind. */
const isPart = (path: string, folder: string): boolean =>
  path === folder || path === `${folder}/manifest.json` || path.startsWith(`${folder}/bin`);

async function hostEntries(
  { name, version, binaries }: ResolvedArtifact,
  folder: string,
): Promise<BundledArtifact> {
  const carried = await Promise.all(
    Object.entries(binaries).map(([program, path]) => carryProgram(program, path, folder)),
  );
  const entries = new Map(carried.flatMap((each) => each.entries.map((entry) => [entry.path, entry])));
  const files: Manifest['files'] = {};
  for (const [path, entry] of entries) {
    const sha256 = await sumOf(entry);
    if (sha256 !== undefined && 'size' in entry)
      files[path.slice(folder.length + 1)] = { sha256, size: entry.size };
  }
  const manifest: Manifest = { name, version, way: 'host', source: Object.values(binaries), files };
  const programs = Object.keys(binaries).map((program) => ({
    artifact: name,
    version,
    program,
    sha256: sumOfProgram(files, program),
  }));
  return {
    entries: [
      ...entries.values(),
      textEntry(`${folder}/manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`),
    ],
    programs,
    libraries: carried.flatMap((each) => each.libraries),
  };
}

function sumOfProgram(files: Manifest['files'], program: string): string {
  const file = files[`lib/${program}`] ?? files[`bin/${program}`];
  return file !== undefined && 'sha256' in file ? file.sha256 : '';
}

function hasChanged(name: ArtifactName, path: string): U7sError {
  return new U7sError('artifact-changed', `${path} is not what was installed`, {
    fixes: [u7s(['artifacts', 'fetch', name], { text: 'remove its folder, then get it again' })],
  });
}

/** The programs of artifacts, each by its own name. */
export async function programEntries(artifacts: Iterable<ResolvedArtifact>): Promise<BundleEntry[]> {
  const entries: BundleEntry[] = [];
  for (const { directory, way, binaries } of artifacts) {
    if (way === 'host') continue;
    const names = new Set([...(await readdir(join(directory, 'bin'))), ...Object.keys(binaries)]);
    for (const name of names) {
      const from = join(directory, 'bin', name);
      if ((await lstat(from).catch(() => undefined)) !== undefined)
        entries.push(...(await treeEntries(name, from)));
    }
  }
  return entries;
}
