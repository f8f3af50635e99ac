import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { formatOf, tarOf, writeArchive, type Format } from '#src/bundle/archive.js';
import { fileEntry, textEntry, treeEntries } from '#src/bundle/entries.js';
import { runOk } from '#src/lib/exec.js';
import { temporary } from '../temporary.js';

const never = new AbortController().signal;

for (const name of ['a.tbz', 'a.tar.gz', 'a.tar.zst', 'a.tar']) {
  test(`${name} is what its name says, and tar unpacks it`, async (t) => {
    const folder = await temporary(t);
    await writeFile(join(folder, 'program'), '#!/bin/sh\n', { mode: 0o700 });
    const entries = [
      await fileEntry('bin/program', join(folder, 'program')),
      { path: 'bin/link', link: 'program' },
      textEntry('README', 'words'),
    ];
    const file = join(folder, name);
    await writeArchive(tarOf(entries, 'it'), file, formatOf(file), { level: 1, signal: never });
    await runOk('tar', ['-xf', file, '-C', folder]);
    t.is(await readFile(join(folder, 'it/README'), 'utf8'), 'words');
    t.is(await runOk('stat', ['-c', '%a', join(folder, 'it/bin/program')]), '755');
    t.is(await runOk('readlink', [join(folder, 'it/bin/link')]), 'program');
  });
}

test('equal content is equal bytes, whatever its times, its owner and its modes but for x', async (t) => {
  const folder = await temporary(t);
  const made: Buffer[] = [];
  for (const [index, mode] of [0o600, 0o664].entries()) {
    const tree = join(folder, String(index));
    await mkdir(tree);
    await writeFile(join(tree, 'file'), 'same', { mode });
    const file = join(folder, `${index}.tar.gz`);
    const format: Format = 'tar.gz';
    await writeArchive(tarOf(await treeEntries('tree', tree), 'it'), file, format, { signal: never });
    made.push(await readFile(file));
  }
  t.deepEqual(made[0], made[1]);
});

test('a file that says nothing of its compression is refused', (t) => {
  t.throws(() => formatOf('usernetes.zip'), { code: 'bundle-format' });
});
