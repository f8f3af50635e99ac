import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { U7sError } from '../lib/errors.js';
import type { ArtifactName } from './artifact.js';
import { catalog } from './catalog.js';
import { findOnPath } from './build/go.js';
import { hostVersion, systemFolders } from './host.js';
import type { ArtifactContext } from './context.js';
import type { ResolvedArtifact } from './store/store.js';

/**
 * An artifact that the user has, used where it lies: `path` is the folder of its programs, or its first program; the
 * others lie in the same folder or on PATH. It must report its version; an untested version causes a warning.
 */
export async function findGiven(
  name: ArtifactName,
  path: string,
  { env, report }: ArtifactContext,
): Promise<ResolvedArtifact> {
  const { binaries: programs, version: known } = catalog[name];
  const target = resolve(path);
  const stats = await stat(target).catch(() => undefined);
  const fix = `give the path of ${programs[0]}, or of the folder that contains ${programs.join(', ')}`;
  if (stats === undefined)
    throw new U7sError('artifact-invalid', `there is nothing at ${path}, given as ${name}`, { fixes: [fix] });
  const directory = stats.isDirectory() ? target : dirname(target);

  const binaries: Record<string, string> = {};
  for (const [index, program] of programs.entries()) {
    const only = index === 0 && !stats.isDirectory();
    const found = only
      ? target
      : ((await findOnPath(program, { PATH: `${directory}:${join(directory, 'bin')}` })) ??
        (await findOnPath(program, env, systemFolders)));
    if (found === undefined)
      throw new U7sError(
        'artifact-invalid',
        `there is no ${program} in ${path}, given as ${name}, nor on PATH`,
        {
          fixes: [fix],
        },
      );
    binaries[program] = found;
  }

  const version = await hostVersion(name, binaries, env);
  if (version === 'unknown') {
    throw new U7sError(
      'artifact-invalid',
      `${binaries[programs[0] ?? '']}, given as ${name}, does not report its version`,
      {
        fixes: [fix],
      },
    );
  }
  if (minorOf(version) !== minorOf(known)) {
    report({
      kind: 'warning',
      code: 'artifact-untested',
      text: `${name} of ${path} is ${version}; this release is tested with ${known}`,
    });
  }
  return { name, version, way: 'given', cached: true, directory, binaries };
}

const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.');
