import { mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { installLauncher } from '#src/cli/as-root/launcher-copy.js';

const asMyself = ([command = '', ...args]: readonly string[]) => ({ command, args, env: process.env });
const allowed = async (): Promise<void> => {};

async function checkout(
  t: ExecutionContext,
): Promise<{ root: string; target: string; edit: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'u7s launcher '));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const root = join(folder, 'check out');
  const lock = {
    packages: {
      '': {},
      'node_modules/a': {},
      'node_modules/a/node_modules/b': {},
      'node_modules/dev': { dev: true },
    },
  };
  const files: Record<string, string> = {
    'bin/u7s.js': '#!/usr/bin/env node',
    'dist/cli/main.js': 'export {}',
    'dist/cli/main.d.ts': 'export {}',
    'config/presets/p.yaml': '',
    'build/x/go.mod': '',
    'patches/README.md': '',
    'src/cli/main.ts': '',
    'package.json': '{}',
    'package-lock.json': JSON.stringify(lock),
    'node_modules/.package-lock.json': '{}',
    'node_modules/a/index.js': '',
    'node_modules/a/node_modules/b/index.js': '',
    'node_modules/dev/index.js': '',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  await symlink('/somewhere/admin.kubeconfig', join(root, 'config', 'localhost.kubeconfig'));
  let times = 0;
  const edit = (): Promise<void> => utimes(join(root, 'dist/cli/main.js'), ++times, times);
  return { root, target: join(folder, 'data', 'launcher'), edit };
}

test('copies what runs, with the production packages, and nothing else', async (t) => {
  const { root, target } = await checkout(t);
  const copy = await installLauncher(root, target, asMyself, allowed);
  t.is(dirname(copy), target);
  const files = await readdir(copy, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => !file.isDirectory())
    .map((file) => join(file.parentPath, file.name).slice(copy.length + 1));
  t.deepEqual(paths.sort(), [
    'bin/u7s.js',
    'build/x/go.mod',
    'config/presets/p.yaml',
    'dist/cli/main.js',
    'node_modules/a/index.js',
    'node_modules/a/node_modules/b/index.js',
    'package-lock.json',
    'package.json',
    'patches/README.md',
  ]);
  t.is(await readFile(join(copy, 'package.json'), 'utf8'), '{}');
});

test('does it once for the same build, and objections keep it from copying', async (t) => {
  const { root, target, edit } = await checkout(t);
  const copy = await installLauncher(root, target, asMyself, allowed);
  const objecting = (): Promise<void> => Promise.reject(new Error('not reachable'));
  t.is(await installLauncher(root, target, asMyself, objecting), copy);
  await edit();
  await t.throwsAsync(installLauncher(root, target, asMyself, objecting), { message: 'not reachable' });
  t.deepEqual(await readdir(target), [copy.slice(target.length + 1)]);
});

test('two at once make one copy', async (t) => {
  const { root, target } = await checkout(t);
  const copies = await Promise.all([1, 2, 3].map(() => installLauncher(root, target, asMyself, allowed)));
  t.is(new Set(copies).size, 1);
  t.is((await readdir(target)).length, 1);
});

/** As if it had been made two hours ago. */
async function age(copy: string): Promise<void> {
  const then = Date.now() / 1000 - 7200;
  await utimes(copy, then, then);
}

test('a new build leaves a copy of this hour, which another command may be about to start from', async (t) => {
  const { root, target, edit } = await checkout(t);
  const first = await installLauncher(root, target, asMyself, allowed);
  await edit();
  const second = await installLauncher(root, target, asMyself, allowed);
  t.deepEqual((await readdir(target)).sort(), [first, second].map((path) => basename(path)).sort());
});

test('a new build removes older copies, but not one that a process was started from', async (t) => {
  const { root, target, edit } = await checkout(t);
  const first = await installLauncher(root, target, asMyself, allowed);
  await age(first);
  const user = spawn(process.execPath, ['-e', 'process.stdin.resume()', join(first, 'bin', 'u7s.js')], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(user, 'spawn');
  await edit();
  const second = await installLauncher(root, target, asMyself, allowed);
  t.deepEqual((await readdir(target)).sort(), [first, second].map((path) => basename(path)).sort());
  await age(second);
  user.stdin.end();
  await once(user, 'exit');
  await edit();
  const third = await installLauncher(root, target, asMyself, allowed);
  t.deepEqual(await readdir(target), [basename(third)]);
});
