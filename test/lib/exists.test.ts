import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { exists, isExecutable } from '#src/lib/exists.js';
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
