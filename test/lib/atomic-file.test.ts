import { open, readdir, readFile, readlink, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { ensureDir, publishFolder, removeHalfWritten, writeFileAtomic } from '#src/lib/atomic-file.js';
import { temporary } from '../temporary.js';

const umask = process.umask();
test.afterEach.always(() => void process.umask(umask));

test.serial(
  'a file gets exactly its mode and content, whatever the umask, and nothing else is left',
  async (t) => {
    const folder = await temporary(t);
    process.umask(0o777);
    await writeFileAtomic(join(folder, 'a'), 'old');
    await writeFileAtomic(join(folder, 'a'), 'new', { mode: 0o640 });
    t.is(await readFile(join(folder, 'a'), 'utf8'), 'new');
    t.is((await stat(join(folder, 'a'))).mode & 0o777, 0o640);
    t.deepEqual(await readdir(folder), ['a']);
  },
);

test('what a killed writer has left is told from all else', async (t) => {
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

/** Runs `work` and returns the paths that it has synced to disk, as they were called then. */
async function synced(work: () => Promise<void>): Promise<string[]> {
  const file = await open('/dev/null');
  const handles = Object.getPrototypeOf(file) as { sync: (this: FileHandle) => Promise<void> };
  await file.close();
  const { sync } = handles;
  const paths: string[] = [];
  handles.sync = async function () {
    paths.push(await readlink(`/proc/self/fd/${this.fd}`));
    return sync.call(this);
  };
  try {
    await work();
  } finally {
    handles.sync = sync;
  }
  return paths;
}

test.serial(
  'what is written is on disk before it gets its name, and the name before the return',
  async (t) => {
    const folder = await temporary(t);
    const [file = '', ...more] = await synced(() => writeFileAtomic(join(folder, 'cluster.json'), '{}'));
    t.regex(file.slice(folder.length), /^\/\.[0-9a-f]{12}\.tmp$/);
    t.deepEqual(more, [folder]);
  },
);

test.serial('what is written again at the next start costs no sync', async (t) => {
  const folder = await temporary(t);
  t.deepEqual(
    await synced(() => writeFileAtomic(join(folder, 'kubelet.json'), '{}', { durable: false })),
    [],
  );
});

test.serial('a folder that appears at once is on disk with all that is below it', async (t) => {
  const parent = await temporary(t);
  const staging = join(parent, 'pki.new');
  await ensureDir(staging);
  await ensureDir(join(staging, 'etcd'));
  const names = ['ca.crt', 'ca.key', 'etcd/peer.crt'];
  for (const name of names) await writeFileAtomic(join(staging, name), name, { durable: false });
  const paths = await synced(() => publishFolder(staging, join(parent, 'pki')));
  t.deepEqual(paths.slice(0, 4).sort(), [...names, 'etcd'].map((name) => join(staging, name)).sort());
  t.deepEqual(paths.slice(4), [staging, parent]);
  t.deepEqual((await readdir(join(parent, 'pki'))).sort(), ['ca.crt', 'ca.key', 'etcd']);
});
