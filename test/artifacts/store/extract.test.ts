import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { Header } from 'tar';
import { extractMembers } from '#src/artifacts/store/extract.js';
import { temporary } from '../../temporary.js';

type Entry = { path: string; type?: string; linkpath?: string; content?: string };

function archive(entries: Entry[]): Buffer {
  const blocks = entries.flatMap(({ path, type = 'File', linkpath, content = '' }) => {
    const body = Buffer.from(content);
    const header = new Header({
      path,
      type: type as 'File',
      mode: 0o755,
      size: body.length,
      mtime: new Date(0),
      ...(linkpath === undefined ? {} : { linkpath }),
    });
    const block = Buffer.alloc(512);
    header.encode(block);
    return [block, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

const good: Entry = { path: 'release/bin/tool', content: 'a tool' };
const members = ['release/bin/tool'];

async function unpacked(entries: Entry[] | Buffer, directory: string): Promise<string[]> {
  const file = join(directory, 'release.tar.gz');
  await writeFile(file, Buffer.isBuffer(entries) ? entries : archive(entries));
  await extractMembers(file, members, directory);
  return (await readdir(directory)).filter((name) => name !== 'release.tar.gz');
}

test('only the wanted members are taken, under their own names and executable', async (t) => {
  const directory = await temporary(t);
  const entries = [
    { path: 'release/README', content: 'read me' },
    good,
    { path: 'release/bin/other', content: 'x' },
  ];
  t.deepEqual(await unpacked(entries, directory), ['tool']);
  t.is((await stat(join(directory, 'tool'))).mode & 0o777, 0o755);
});

test('links that stay inside are harmless and not taken', async (t) => {
  const entries = [good, { path: 'release/bin/alias', type: 'SymbolicLink', linkpath: '../bin/tool' }];
  t.deepEqual(await unpacked(entries, await temporary(t)), ['tool']);
});

const hostile: [what: string, entry: Entry, reason: RegExp][] = [
  ['a path that climbs out', { path: '../evil', content: 'x' }, /lies outside/],
  ['a path that climbs out later', { path: 'release/../../evil', content: 'x' }, /lies outside/],
  ['an absolute path', { path: '/etc/evil', content: 'x' }, /lies outside/],
  ['a symbolic link out', { path: 'release/a', type: 'SymbolicLink', linkpath: '../../etc' }, /links out/],
  [
    'an absolute symbolic link',
    { path: 'release/a', type: 'SymbolicLink', linkpath: '/etc/passwd' },
    /links out/,
  ],
  ['a hard link out', { path: 'release/a', type: 'Link', linkpath: '../etc/passwd' }, /links out/],
  ['an absolute hard link', { path: 'release/a', type: 'Link', linkpath: '/etc/passwd' }, /links out/],
  ['a character device', { path: 'release/null', type: 'CharacterDevice' }, /special file/],
  ['a block device', { path: 'release/disk', type: 'BlockDevice' }, /special file/],
  ['a FIFO', { path: 'release/pipe', type: 'FIFO' }, /special file/],
];

for (const [what, entry, reason] of hostile) {
  test(`an archive with ${what} is refused whole`, async (t) => {
    const directory = await temporary(t);
    await t.throwsAsync(unpacked([good, entry], directory), {
      name: 'FatalArtifactError',
      code: 'archive-refused',
      message: reason,
    });
    t.deepEqual(await readdir(directory), ['release.tar.gz']);
  });
}

test('a wanted member that is a link is refused', async (t) => {
  const entries = [{ path: 'release/bin/tool', type: 'SymbolicLink', linkpath: 'other' }];
  await t.throwsAsync(unpacked(entries, await temporary(t)), {
    code: 'archive-refused',
    message: /not a regular file/,
  });
});

test('an archive without a wanted member is refused', async (t) => {
  await t.throwsAsync(unpacked([{ path: 'release/README' }], await temporary(t)), {
    code: 'archive-refused',
    message: /has no release\/bin\/tool/,
  });
});

test('an archive that was cut off is refused', async (t) => {
  const whole = archive([good, { path: 'release/bin/other', content: 'x'.repeat(100_000) }]);
  const directory = await temporary(t);
  await t.throwsAsync(unpacked(whole.subarray(0, whole.length / 2), directory), {
    name: 'FatalArtifactError',
  });
  t.deepEqual(await readdir(directory), ['release.tar.gz']);
});
