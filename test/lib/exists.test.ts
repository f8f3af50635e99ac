import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { exists, findExecutable, isExecutable } from '#src/lib/exists.js';
import { temporary } from '../temporary.js';

test('a file, a folder, nothing', async (t) => {
  const folder = await temporary(t);
  await writeFile(join(folder, 'file'), '');
  t.true(await exists(folder));
  t.true(await exists(join(folder, 'file')));
  t.false(await exists(join(folder, 'nothing')));
  t.false(await exists(join(folder, 'file', 'below a file')));
});

test('a file is executable by its mode', async (t) => {
  const file = join(await temporary(t), 'program');
  await writeFile(file, '', { mode: 0o644 });
  t.false(await isExecutable(file));
  await chmod(file, 0o755);
  t.true(await isExecutable(file));
});

test('the first folder that has an executable of that name wins', async (t) => {
  const folder = await temporary(t);
  for (const [name, mode] of [
    ['closed', 0o644],
    ['first', 0o755],
    ['second', 0o755],
  ] as const) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'program'), '', { mode });
  }
  const folders = ['missing', 'closed', 'first', 'second'].map((name) => join(folder, name));
  t.is(await findExecutable('program', folders), join(folder, 'first', 'program'));
  t.is(await findExecutable('another', folders), undefined);
});
