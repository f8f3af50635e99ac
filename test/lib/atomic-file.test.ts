import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ensureDir, removeHalfWritten, writeFileAtomic } from '#src/lib/atomic-file.js';
import { temporary } from '../temporary.js';

const umask = process.umask();
test.afterEach.always(() => void process.umask(umask));

test.serial(
  'a file gets exactly its mode and content, whatever the umask, and nothing is left beside it',
  async (t) => {
    const folder = await temporary(t);
    process.umask(0o777);
    await writeFileAtomic(join(folder, 'a'), 'old');
    await writeFileAtomic(join(folder, 'a'), 'new', 0o640);
    t.is(await readFile(join(folder, 'a'), 'utf8'), 'new');
    t.is((await stat(join(folder, 'a'))).mode & 0o777, 0o640);
    t.deepEqual(await readdir(folder), ['a']);
  },
);

test('what a writer left that was killed is told from all else', async (t) => {
  const folder = await temporary(t);
  for (const name of ['.0123456789ab.tmp', 'ca.key', 'notes.tmp', '.profile'])
    await writeFile(join(folder, name), '');
  await removeHalfWritten(folder);
  t.deepEqual(await readdir(folder), ['.profile', 'ca.key', 'notes.tmp']);
});

test.serial('a folder is private whatever the umask', async (t) => {
  const folder = await temporary(t);
  process.umask(0o000);
  await ensureDir(join(folder, 'inner'));
  t.is((await stat(join(folder, 'inner'))).mode & 0o777, 0o700);
});
