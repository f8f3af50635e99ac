import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A package that runs with the launcher: where it belongs below the launcher's root, and where it is. */
export type ProductionPackage = { path: string; from: string };

type Manifest = { dependencies?: Record<string, string>; optionalDependencies?: Record<string, string> };

/** All of them, whether the launcher is a checkout, a bundle, or was installed by npm beside its packages. */
export function productionPackages(projectRoot: string): ProductionPackage[] {
  return existsSync(join(projectRoot, 'package-lock.json')) ? locked(projectRoot) : installed(projectRoot);
}

function locked(projectRoot: string): ProductionPackage[] {
  const lock = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  const wanted = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);
  const paths = wanted.map(([path]) => path);
  return (
    paths
      // A package in another's node_modules comes with that one.
      .filter((path) => !paths.some((other) => path.startsWith(`${other}/`)))
      .map((path) => ({ path, from: join(projectRoot, path) }))
  );
}

/** Without npm's lock: each package is where Node.js would find it. */
function installed(projectRoot: string): ProductionPackage[] {
  const found = new Map<string, ProductionPackage>();
  const visit = (folder: string): void => {
    const { dependencies, optionalDependencies } = manifestOf(folder);
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const from = resolveFrom(folder, name);
      if (from === undefined) {
        if (dependencies?.[name] !== undefined) throw new Error(`${folder} lacks its package ${name}`);
        continue;
      }
      if (found.has(from)) continue;
      const path = from.startsWith(`${projectRoot}/`)
        ? from.slice(projectRoot.length + 1)
        : join('node_modules', from.slice(from.indexOf('/node_modules/') + '/node_modules/'.length));
      found.set(from, { path, from });
      visit(from);
    }
  };
  visit(projectRoot);
  const all = [...found.values()];
  return all.filter(({ from }) => !all.some((other) => from.startsWith(`${other.from}/`)));
}

function resolveFrom(folder: string, name: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const candidate = join(at, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (at === dirname(at)) return undefined;
  }
}

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
