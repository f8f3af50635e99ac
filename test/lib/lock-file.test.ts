import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { withLock } from '#src/lib/lock-file.js';
import { temporary } from '../temporary.js';

const { signal } = new AbortController();
const never = (): void => {
  throw new Error('nobody should wait');
};

test('the lock is held during the work and gone after it', async (t) => {
  const path = join(await temporary(t), 'lock');
  await withLock(path, signal, never, () => access(path));
  await t.throwsAsync(access(path));
});

test('the lock is gone after work that fails', async (t) => {
  const directory = await temporary(t);
  await t.throwsAsync(
    withLock(join(directory, 'lock'), signal, never, () => Promise.reject(new Error('no'))),
  );
  t.deepEqual(await readdir(directory), []);
});

test('one works at a time; the one who waits says for whom', async (t) => {
  const path = join(await temporary(t), 'lock');
  const waited: number[] = [];
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
  };
  await Promise.all([1, 2, 3].map(() => withLock(path, signal, (pid) => waited.push(pid), work)));
  t.is(most, 1);
  t.deepEqual(waited, [process.pid, process.pid]);
});

test('the lock of a process that no longer exists is taken over', async (t) => {
  const directory = await temporary(t);
  const path = join(directory, 'lock');
  const child = spawn(process.execPath, ['-e', '0']);
  await once(child, 'exit');
  await writeFile(path, JSON.stringify({ pid: child.pid, startTime: '1' }));
  t.is(await withLock(path, signal, never, () => Promise.resolve('done')), 'done');
  t.deepEqual(await readdir(directory), []);
});

test('the lock of a process whose pid belongs to another one now is taken over', async (t) => {
  const path = join(await temporary(t), 'lock');
  await writeFile(path, JSON.stringify({ pid: process.pid, startTime: '1' }));
  t.is(await withLock(path, signal, never, () => Promise.resolve('done')), 'done');
});

test('a lock file that makes no sense is taken over', async (t) => {
  const path = join(await temporary(t), 'lock');
  await writeFile(path, '');
  t.is(await withLock(path, signal, never, () => Promise.resolve('done')), 'done');
});

test('what waiters left that were killed is removed, what one may be writing now is not', async (t) => {
  const directory = await temporary(t);
  const path = join(directory, 'lock');
  await writeFile(`${path}.000000000000`, '{"pid":4194304,"startTime":"1"}');
  await writeFile(`${path}.111111111111`, '{"pid":4194');
  await withLock(path, signal, never, () => Promise.resolve());
  t.deepEqual(await readdir(directory), ['lock.111111111111']);
});

test('an abort ends the wait and leaves the lock to its holder', async (t) => {
  const directory = await temporary(t);
  const path = join(directory, 'lock');
  const abort = new AbortController();
  await withLock(path, signal, never, async () => {
    const held = await readFile(path, 'utf8');
    await t.throwsAsync(
      withLock(
        path,
        abort.signal,
        () => abort.abort(),
        () => Promise.resolve(),
      ),
      { name: 'AbortError' },
    );
    t.is(await readFile(path, 'utf8'), held);
    t.deepEqual(await readdir(directory), ['lock']);
  });
});
