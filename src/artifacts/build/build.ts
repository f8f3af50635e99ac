import { symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Architecture } from '../../lib/architecture.js';
import { run } from '../../lib/exec.js';
import { U7sError } from '../../lib/errors.js';
import type { BuildRecipe } from '../artifact.js';
import { documentsIn, writeDocuments } from '../store/documents.js';
import { findOnPath, goEnvironment, runGo, type GoCommand } from './go.js';
import { applyPatches } from './patches.js';
import type { Progress } from '../progress.js';
import type { Recipe } from '../recipe.js';
import type { Filled } from '../store/install.js';

export type BuildContext = {
  goCache: string;
  arch: Architecture;
  env: Record<string, string | undefined>;
  signal: AbortSignal;
};

/** Checks that everything a build needs is there, before it starts; the error says what to install. */
export async function findBuildTools<Go>(
  build: BuildRecipe,
  context: BuildContext,
  findGo: () => Promise<Go>,
): Promise<Go> {
  const go = await findGo();
  if (!build.cgo) return go;
  const fix = `sudo apt-get install ${build.cgo.packages}`;
  for (const tool of [context.env['CC'] ?? 'gcc', 'pkg-config']) {
    if (!(await findOnPath(tool, context.env)) && !tool.includes('/'))
      throw new U7sError('not-installed', `there is no ${tool} on PATH`, { fixes: [fix] });
  }
  const { env, signal } = context;
  for (const module of build.cgo.pkgConfig) {
    const { exitCode } = await run('pkg-config', ['--exists', module], { env, signal });
    if (exitCode !== 0)
      throw new U7sError('not-installed', `the headers of ${module} are missing`, { fixes: [fix] });
  }
  return go;
}

/** Compiles a component into `<staging>/bin`. Go does not repeat what it has compiled before, even in an interrupted build. */
export async function buildArtifact(
  recipe: Recipe,
  go: string,
  staging: string,
  context: BuildContext,
  progress: Progress,
): Promise<Filled> {
  const build = recipe.artifact.build as BuildRecipe;
  const command: GoCommand = {
    go,
    cwd: recipe.buildDirectory,
    env: goEnvironment(context.env, { ...context, cgo: build.cgo !== undefined }),
    signal: context.signal,
  };
  const tags = build.tags ? ['-tags', build.tags.join(',')] : [];
  const packages = Object.values(build.packages);

  // Lists what will be compiled, which also downloads the modules that the cache lacks.
  let downloads = 0;
  const onLine = (line: string): void => {
    if (line.startsWith('go: downloading ')) progress(`${++downloads} Go modules downloaded`);
  };
  const dependencies =
    packages.length === 0
      ? ''
      : await runGo(command, ['list', '-deps', '-buildvcs=false', ...tags, ...packages], onLine);
  const count = dependencies.split('\n').filter(Boolean).length;

  const patched =
    recipe.patches.length === 0
      ? []
      : await applyPatches(command, recipe, build.module, join(staging, 'work'));
  const variables = Object.entries(build.variables ?? {}).map(([name, value]) => ` -X ${name}=${value}`);
  const language = Object.entries(build.language ?? {}).map(
    ([pattern, version]) => `-gcflags=${pattern}=-lang=${version}`,
  );
  let compiled = 0;
  for (const [executable, path] of Object.entries(build.packages)) {
    await runGo(
      command,
      [
        ...['build', '-v', '-trimpath', '-buildvcs=false', ...patched, ...tags, ...language],
        ...['-ldflags', `-s -w${variables.join('')}`, '-o', join(staging, 'bin', executable), path],
      ],
      (line) => {
        if (/^[\w.-]+(\/[\w.~+-]+)*$/.test(line))
          progress(`${++compiled} of ${count} packages`, Math.min(compiled / count, 1));
      },
    );
  }
  for (const [name, target] of Object.entries(build.links ?? {}))
    await symlink(target, join(staging, 'bin', name));
  if (build.documents !== undefined) {
    const found = await runGo(command, ['mod', 'download', '-json', build.module], onLine);
    await writeDocuments((JSON.parse(found) as { Dir: string }).Dir, build.documents, documentsIn(staging));
  }
  const { version = recipe.artifact.version } = build;
  return {
    version,
    way: 'build',
    source: [`${build.module} ${version}`, ...recipe.patches.map((patch) => basename(patch))],
  };
}
