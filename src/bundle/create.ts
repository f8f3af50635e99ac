import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ArtifactName } from '../artifacts/artifact.js';
import { findGo } from '../artifacts/build/go.js';
import { catalog } from '../artifacts/catalog.js';
import type { ArtifactContext } from '../artifacts/context.js';
import { hashFile } from '../artifacts/download/checksum.js';
import { ensureArtifacts } from '../artifacts/resolve.js';
import type { ResolvedArtifact } from '../artifacts/store/store.js';
import { architecture } from '../lib/architecture.js';
import { messageOf } from '../lib/errors.js';
import { step, type Report } from '../lib/events.js';
import { launcherParts } from '../lib/launcher-parts.js';
import { productionPackages } from '../lib/production-packages.js';
import { artifactEntries, type BundledArtifact } from './artifact-entries.js';
import { byPath, fileEntry, sumOf, textEntry, treeEntries, type BundleEntry } from './entries.js';
import { licenceEntries, licenceTextOf, moduleLicence, type Licence } from './licences.js';
import { nodeRuntime, type NodeRuntime } from './node-runtime.js';
import { billOfMaterials, type BundledPackage } from './sbom.js';

export type BundleRequest = {
  artifacts: ArtifactContext;
  names: readonly ArtifactName[];
  version: string;
  /** Folder that keeps Node.js. */
  nodeCache: string;
  /** Whether to take the Node.js that runs this. */
  nodeAtHand: boolean;
};

const leftOut = (path: string): boolean =>
  /\.d\.[cm]?ts$|\.map$|^config\/.*\.kubeconfig$|\/\.bin$|\.tsbuildinfo$/.test(path);

/** Everything that a cluster needs, down to Node.js, in the order of an archive. */
export async function bundleEntries(request: BundleRequest): Promise<BundleEntry[]> {
  const { artifacts: context, version } = request;
  const { projectRoot, arch, report } = context;
  const resolved = await obtain(request.names, context);
  const node = await nodeRuntime({ ...context, cache: request.nodeCache, atHand: request.nodeAtHand });
  return step(report, 'bundle', 'bundle', async (progress) => {
    progress('checking the programs');
    const artifacts: BundledArtifact[] = [];
    for (const artifact of resolved.values()) artifacts.push(await artifactEntries(artifact));
    const packages = productionPackages(projectRoot);
    const entries = [
      ...(await all(launcherParts.map((path) => treeEntries(path, join(projectRoot, path), leftOut)))),
      ...(await all(packages.map(({ path, from }) => treeEntries(path, from, leftOut)))),
      await fileEntry('node/bin/node', node.binary, 0o755),
      ...(node.licence === undefined ? [] : [await fileEntry('node/LICENSE', node.licence)]),
      ...artifacts.flatMap((each) => each.entries),
      ...licenceEntries(await licencesOf(artifacts, packages, node, context)),
    ];
    const programs = artifacts.flatMap((each) => each.programs);
    const libraries = await Promise.all(
      artifacts
        .flatMap((each) => each.libraries)
        .map(async (each) => ({
          name: each.package,
          version: each.version,
          sha256: await hashFile(each.path),
        })),
    );
    const nodeSum = await hashFile(node.binary);
    const bill = billOfMaterials({
      version,
      arch,
      node: { version: node.version, sha256: nodeSum },
      packages: await Promise.all(packages.map(({ from }) => packageOf(from))),
      programs,
      libraries,
    });
    entries.push(textEntry('sbom.cdx.json', bill));
    progress('sums');
    entries.sort(byPath);
    entries.push(textEntry('SHA256SUMS', await sums(entries)));
    progress(`${entries.length} files of ${artifacts.length} components`);
    return entries.sort(byPath);
  });
}

const all = async <T>(lists: readonly Promise<T[]>[]): Promise<T[]> => (await Promise.all(lists)).flat();

/** For another processor, the host's programs are of no use: what cannot be downloaded is left to the host to be. */
async function obtain(
  names: readonly ArtifactName[],
  context: ArtifactContext,
): Promise<Map<ArtifactName, ResolvedArtifact>> {
  if (context.arch === architecture()) return ensureArtifacts(names, context);
  const buildable = names.filter((name) => catalog[name].build !== undefined);
  const resolved = await ensureArtifacts(buildable, context);
  for (const name of names.filter((each) => !buildable.includes(each))) {
    try {
      for (const [, artifact] of await ensureArtifacts([name], { ...context, way: 'download' }))
        resolved.set(name, artifact);
    } catch (error) {
      context.signal.throwIfAborted();
      warn(context.report, `${name} is not in the bundle, the host must have it: ${messageOf(error)}`);
    }
  }
  return resolved;
}

const warn = (report: Report, text: string): void =>
  report({ kind: 'warning', text, code: 'artifact-unavailable' });

async function licencesOf(
  artifacts: readonly BundledArtifact[],
  packages: readonly { from: string }[],
  node: NodeRuntime,
  { projectRoot, goCache, env }: ArtifactContext,
): Promise<Licence[]> {
  const modules = new Map(
    artifacts
      .flatMap(({ programs }) => programs)
      .flatMap(({ info }) => [...(info?.main?.version ? [info.main] : []), ...(info?.modules ?? [])])
      .filter(({ path }) => !path.startsWith('usernetes/'))
      .map((module) => [`${module.path} ${module.version}`, module]),
  );
  const text = async (of: string, read: Promise<string | undefined>): Promise<Licence> => {
    const found = await read;
    return { of, ...(found === undefined ? {} : { text: found }) };
  };
  const goRoot = await findGo(env).then(
    (go) => dirname(dirname(go)),
    () => undefined,
  );
  return Promise.all([
    text('usernetes', licenceTextOf(projectRoot)),
    text(
      `Node.js ${node.version}`,
      node.licence === undefined ? Promise.resolve(undefined) : readFile(node.licence, 'utf8'),
    ),
    ...(modules.size > 0
      ? [
          text(
            "Go's standard library",
            goRoot === undefined ? Promise.resolve(undefined) : licenceTextOf(goRoot),
          ),
        ]
      : []),
    ...packages.map(async ({ from }) => {
      const { name, version } = await packageOf(from);
      return text(`${name} ${version} (npm)`, licenceTextOf(from));
    }),
    ...[...modules.values()].map((module) => moduleLicence(module, goCache)),
    ...artifacts
      .flatMap(({ libraries }) => libraries)
      .map((each) =>
        text(`${each.file}, of the package ${each.package} ${each.version}`, Promise.resolve(each.licence)),
      ),
  ]);
}

async function packageOf(folder: string): Promise<BundledPackage> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
  };
  return { name, version, ...(license === undefined ? {} : { licence: license }) };
}

/** As `sha256sum --check` reads it. */
async function sums(entries: readonly BundleEntry[]): Promise<string> {
  const lines: string[] = [];
  for (const entry of entries) {
    const sum = await sumOf(entry);
    if (sum !== undefined) lines.push(`${sum}  ${entry.path}\n`);
  }
  return lines.join('');
}
