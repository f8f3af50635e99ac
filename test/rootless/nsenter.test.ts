import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { U7sError } from '#src/lib/errors.js';
import { u7s } from '#src/lib/fixes.js';
import { namespacePid } from '#src/rootless/nsenter.js';
import { temporary } from '../temporary.js';

test('the namespaces of a live process can be entered', async (t) => {
  const file = join(await temporary(t), 'child_pid');
  await writeFile(file, String(process.pid));
  t.is(await namespacePid(file), process.pid);
});

test('a missing child_pid says that the cluster does not run and how to start it', async (t) => {
  const error = await t.throwsAsync(namespacePid('/nonexistent/child_pid'), { instanceOf: U7sError });
  t.is(error.code, 'not-running');
  t.deepEqual(error.fixes, [u7s(['up'], { text: 'start it' })]);
});
