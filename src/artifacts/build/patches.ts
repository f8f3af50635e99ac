import { copyFile, cp, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run, runOk } from '../../lib/exec.js';
import { messageOf, U7sError } from '../../lib/errors.js';
import { runGo, type GoCommand } from './go.js';
import type { Recipe } from '../recipe.js';

/**
 * Copies the module's source, applies the series to the copy and returns the `-modfile` flag that makes a build use it.
 * Nothing under build/ and nothing in Go's module cache is changed.
 */
export async function applyPatches(
  command: GoCommand,
  recipe: Recipe,
  module: string,
  work: string,
): Promise<string[]> {
  const { env, signal } = command;
  const [dir] = (await runGo(command, ['list', '-m', '-f', '{{.Dir}}', module], () => {})).split('\n');
  if (!dir) throw new U7sError('build-failed', `Go has no source of ${module}, which has patches`);
  const source = join(work, 'source');
  await mkdir(work, { recursive: true });
  await cp(dir, source, { recursive: true });
  await runOk('chmod', ['-R', 'u+w', source], { env, signal });
  for (const patch of recipe.patches) {
    const result = await run('patch', ['-p1', '--batch', '--forward', '-i', patch], {
      cwd: source,
      env,
      signal,
    }).catch((cause: unknown) => {
      throw new U7sError('not-installed', messageOf(cause), { fixes: ['sudo apt-get install patch'], cause });
    });
    if (result.exitCode !== 0) {
      throw new U7sError(
        'patch-conflict',
        `patch ${basename(patch)} does not apply to ${module}: ${result.stdout.trim()}`,
        {
          fixes: [`rebase it for this version: ${patch}`, 'remove it from the series'],
        },
      );
    }
  }
  const modfile = join(work, 'go.mod');
  await copyFile(join(recipe.buildDirectory, 'go.mod'), modfile);
  await copyFile(join(recipe.buildDirectory, 'go.sum'), join(work, 'go.sum'));
  await runGo(command, ['mod', 'edit', `-replace=${module}=${source}`, modfile], () => {});
  return [`-modfile=${modfile}`];
}
