import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa, ExecaError } from 'execa';
import { U7sError, messageOf } from '../../lib/errors.js';
import { exists } from '../../lib/exists.js';
import { launcherParts } from '../../lib/launcher-parts.js';
import { productionPackages } from '../../lib/production-packages.js';
import type { Invocation } from '../pass-through.js';

/** A bundle has Node.js and the programs of a node, too. */
const parts = [...launcherParts, 'node', 'artifacts', 'SHA256SUMS'];
/** The links that `up` makes in config/ are no part of it. */
const notCopied = ['config/*.kubeconfig', '*.d.ts', '*.map'];

/**
 * Puts a copy of the installation in `projectRoot` at `<targetDir>/<hash>` and returns that path. Root only reads: all
 * writing is done by the user who owns `targetDir`, through `asUser`, for root must not write where others can lay links.
 * `beforeCopying` may object; it is not called when the copy is there.
 */
export async function installLauncher(
  projectRoot: string,
  targetDir: string,
  asUser: (argv: readonly string[]) => Invocation,
  beforeCopying: () => Promise<void>,
): Promise<string> {
  const name = fingerprint(projectRoot);
  const target = join(targetDir, name);
  if (await exists(target)) return target;

  await beforeCopying();
  try {
    const excluded = notCopied.map((glob) => `--exclude=${glob}`);
    const present = parts.filter((part) => existsSync(join(projectRoot, part)));
    const packed = ['-c', '-C', projectRoot, ...excluded, ...present, ...packagesIn(projectRoot)];
    const { stdout: archive } = await execa('tar', packed, { encoding: 'buffer', maxBuffer: 2 ** 30 });
    const { command, args, env } = asUser(['sh', '-c', unpackScript, 'sh', targetDir, name]);
    await execa(command, args, { env, extendEnv: false, input: archive });
  } catch (error) {
    const said = error instanceof ExecaError ? String(error.stderr).trim() : '';
    throw new U7sError(
      'launcher-copy',
      `cannot copy the launcher to ${target}: ${said || messageOf(error)}`,
      {
        fixes: [
          'make that folder belong to the user who runs it, or choose another user: U7S_USER=<an ordinary user with a home>',
        ],
        cause: error,
      },
    );
  }
  return target;
}

/**
 * $1: folder of the copies; $2: the new one's name. The archive comes on stdin. A copy that a process was started from stays,
 * and a new one: another command may be about to start from it. grep gets its path on stdin, lest it find itself.
 */
const unpackScript = `
set -eu
umask 077
folder=$1 name=$2
mkdir -p "$folder"
exec 9<"$folder"
flock -w 60 9 || {
  echo 'another process has held its lock for a minute' >&2
  exit 1
}
if ! [ -e "$folder/$name" ]; then
  rm -rf "$folder/.new"
  mkdir "$folder/.new"
  tar -x -C "$folder/.new"
  mv "$folder/.new" "$folder/$name"
fi
for copy in "$folder"/*; do
  [ "$copy" != "$folder/$name" ] || continue
  [ -n "$(find "$copy" -prune -mmin +60 2>/dev/null)" ] || continue
  printf '%s/' "$copy" | grep -aqsF -f - /proc/[0-9]*/cmdline || rm -rf "$copy"
done
`;

/** Changes with every build and every installation of packages; from sizes and times, so that it takes milliseconds. */
function fingerprint(projectRoot: string): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    const stats = lstatSync(join(projectRoot, path), { throwIfNoEntry: false });
    if (!stats || path.endsWith('.kubeconfig')) return;
    if (stats.isDirectory())
      for (const entry of readdirSync(join(projectRoot, path)).sort()) add(join(path, entry));
    else hash.update(`${path}\0${stats.size}\0${stats.mtimeMs}\n`);
  };
  const sums = join(projectRoot, 'SHA256SUMS');
  if (existsSync(sums)) hash.update(readFileSync(sums));
  else [...parts, 'node_modules/.package-lock.json'].forEach(add);
  return hash.digest('hex').slice(0, 16);
}

/** As tar's arguments: those that npm has put beside the launcher are brought in. */
function packagesIn(projectRoot: string): string[] {
  return productionPackages(projectRoot).flatMap(({ path, from }) => [
    '-C',
    from.slice(0, -path.length) || '/',
    path,
  ]);
}
