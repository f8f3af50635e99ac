import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  chmod,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { create, extract, list, type ReadEntry } from 'tar';
import { writeImage, type ImageSpec } from '#src/images/oci-layout.js';
import type { Rootfs } from '#src/images/rootfs.js';
import { tarHeader } from '#src/images/tar-entries.js';
import { temporary } from '../temporary.js';

type Descriptor = { digest: string; size: number };
type Documents = {
  'oci-layout': unknown;
  'index.json': { manifests: [Descriptor] };
  'manifest.json': [{ Config: string; RepoTags: string[]; Layers: [string] }];
};
type Manifest = { config: Descriptor; layers: [Descriptor] };
type Config = { rootfs: { diff_ids: [string] } };

const never = new AbortController().signal;
const longPath = `/usr/share/${'a long name '.repeat(12)}/${'and another '.repeat(12)}`;

const hello: ImageSpec = {
  reference: 'localhost/hello:1',
  architecture: 'arm64',
  rootfs: {
    files: [
      { path: '/usr/bin/hello', mode: 0o4755, content: Buffer.from('#!/bin/true\n') },
      { path: 'etc/passwd', mode: 0o644, content: Buffer.from('root:x:0:0:::\n') },
      { path: longPath, mode: 0o600, content: Buffer.alloc(512, 'x') },
      { path: '/../empty', mode: 0o644, content: Buffer.alloc(0) },
    ],
  },
  entrypoint: ['/usr/bin/hello'],
  cmd: ['--world'],
  env: { LANG: 'C.UTF-8', EMPTY: '' },
  user: '65532:65532',
  workingDir: '/tmp',
  labels: { version: '1' },
};

test('the archive is an OCI image layout whose digests are true', async (t) => {
  const image = await write(t, hello);
  t.deepEqual(await image.json('oci-layout'), { imageLayoutVersion: '1.0.0' });
  const index = await image.json('index.json');
  t.deepEqual(index.manifests, [
    {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: image.digest,
      size: index.manifests[0].size,
      platform: { architecture: 'arm64', os: 'linux' },
      annotations: {
        'io.containerd.image.name': 'localhost/hello:1',
        'org.opencontainers.image.ref.name': '1',
      },
    },
  ]);
  const manifest = (await image.blob(index.manifests[0])) as Manifest;
  const config = (await image.blob(manifest.config)) as Config;
  t.deepEqual(config, {
    created: '1970-01-01T00:00:00.000Z',
    architecture: 'arm64',
    os: 'linux',
    config: {
      User: '65532:65532',
      Env: ['LANG=C.UTF-8', 'EMPTY='],
      Entrypoint: ['/usr/bin/hello'],
      Cmd: ['--world'],
      WorkingDir: '/tmp',
      Labels: { version: '1' },
    },
    rootfs: { type: 'layers', diff_ids: [manifest.layers[0].digest] },
    history: [{ created: '1970-01-01T00:00:00.000Z', created_by: 'u7s image build-from' }],
  });
  for (const name of await readdir(join(image.folder, 'blobs/sha256'))) {
    const content = await readFile(join(image.folder, 'blobs/sha256', name));
    t.is(createHash('sha256').update(content).digest('hex'), name);
  }
  t.is((await stat(image.layer)).size, manifest.layers[0].size);
});

test('the archive is a docker-archive too', async (t) => {
  const image = await write(t, hello);
  const [docker] = await image.json('manifest.json');
  t.deepEqual(docker.RepoTags, ['localhost/hello:1']);
  const config = (await image.read(docker.Config)) as Config;
  t.is(`blobs/${config.rootfs.diff_ids[0].replace(':', '/')}`, docker.Layers[0]);
});

test('files come with their folders, as root’s, without dates, in order', async (t) => {
  const image = await write(t, hello);
  const entries: ReadEntry[] = [];
  await list({ file: image.layer, strict: true, onReadEntry: (entry) => entries.push(entry) });
  t.deepEqual(
    entries.map(({ path, mode }) => `${mode?.toString(8)} ${path}`),
    [
      '644 empty',
      '755 etc/',
      '644 etc/passwd',
      '755 usr/',
      '755 usr/bin/',
      '4755 usr/bin/hello',
      '755 usr/share/',
      `755 ${longPath.slice(1, longPath.lastIndexOf('/'))}/`,
      `600 ${longPath.slice(1)}`,
    ],
  );
  t.true(entries.every(({ uid, gid, mtime }) => uid === 0 && gid === 0 && mtime?.getTime() === 0));
});

test('equal input gives equal bytes', async (t) => {
  const [a, b] = [await write(t, hello), await write(t, hello)];
  t.deepEqual(await readFile(a.archive), await readFile(b.archive));
  t.is(a.digest, 'sha256:b5265abac083f25a8ef3212cf2734c9cf163470708b00445b85e671b90eaa67e');
});

test('a large file is taken from disk', async (t) => {
  const source = join(await folder(t), 'big');
  const content = Buffer.alloc(3_000_001, 'big');
  await writeFile(source, content);
  const files = [{ path: '/big', mode: 0o755, content: { fromFile: source } }];
  const fromDisk = await write(t, { ...hello, rootfs: { files } });
  const fromMemory = await write(t, {
    ...hello,
    rootfs: { files: [{ path: '/big', mode: 0o755, content }] },
  });
  t.is(fromDisk.digest, fromMemory.digest);
  t.deepEqual(await readFile(join(await fromDisk.unpackLayer(t), 'big')), content);
});

test('a folder becomes an image with its modes, links and hard links', async (t) => {
  const root = await folder(t);
  await mkdir(join(root, 'tmp'));
  await chmod(join(root, 'tmp'), 0o1777);
  await writeFile(join(root, 'tmp/a'), 'content');
  await link(join(root, 'tmp/a'), join(root, 'tmp/b'));
  await symlink('tmp/a', join(root, 'link'));
  const image = await write(t, { ...hello, rootfs: { directory: root } });
  const copy = await image.unpackLayer(t);
  t.is(await readlink(join(copy, 'link')), 'tmp/a');
  t.is((await lstat(join(copy, 'tmp/a'))).ino, (await lstat(join(copy, 'tmp/b'))).ino);
  const modes: Record<string, number | undefined> = {};
  await list({ file: image.layer, onReadEntry: ({ path, mode }) => (modes[path] = mode) });
  t.is(modes['tmp/'], 0o1777);
  await chmod(join(copy, 'tmp'), 0o1777); // the umask had its way with it
  t.is((await write(t, { ...hello, rootfs: { directory: copy } })).digest, image.digest);
});

test('a root file system archive is taken as it is, unpacked when it was gzipped', async (t) => {
  const root = await folder(t);
  await writeFile(join(root, 'file'), 'content');
  const plain = join(root, 'rootfs.tar');
  await create({ file: plain, cwd: root }, ['file']);
  await writeFile(`${plain}.gz`, gzipSync(await readFile(plain)));
  for (const archive of [plain, `${plain}.gz`]) {
    const image = await write(t, { ...hello, rootfs: { tar: createReadStream(archive), name: archive } });
    t.deepEqual(await readFile(image.layer), await readFile(plain));
  }
});

const damaged: Record<string, [Buffer, string]> = {
  'not an archive': [Buffer.alloc(2000, 'x'), 'INPUT is not a tar archive'],
  'a gzipped text': [gzipSync('hello'), 'INPUT is not a tar archive'],
  empty: [Buffer.alloc(0), 'INPUT is not a tar archive'],
  'compressed with xz': [
    Buffer.from('fd377a585a00', 'hex'),
    'INPUT is damaged: xz: (stdin): Unexpected end of input',
  ],
  'a gzip that ends too early': [
    gzipSync(
      Buffer.concat([tarHeader({ path: 'a', type: 'File', mode: 0o644, size: 512 }), randomBytes(512)]),
    ).subarray(0, -100),
    'INPUT is damaged: unexpected end of file',
  ],
};

for (const [what, [content, message]] of Object.entries(damaged)) {
  test(`a root file system that is ${what} is refused, and nothing is left`, async (t) => {
    const root = await folder(t);
    async function* tar() {
      yield await Promise.resolve(content);
    }
    const spec = { ...hello, rootfs: { tar: tar(), name: 'INPUT' } satisfies Rootfs };
    await t.throwsAsync(writeImage(spec, join(root, 'out.tar'), never), { code: 'archive-invalid', message });
    t.deepEqual(await readdir(root), []);
  });
}

test('a missing file is named, and nothing is left', async (t) => {
  const root = await folder(t);
  const content = { fromFile: join(root, 'missing') };
  const spec = { ...hello, rootfs: { files: [{ path: '/a', mode: 0o755, content }] } };
  await t.throwsAsync(writeImage(spec, join(root, 'out.tar'), never), {
    code: 'not-readable',
    message: `cannot read ${content.fromFile} (ENOENT)`,
  });
  t.deepEqual(await readdir(root), []);
});

test('aborted, it leaves nothing', async (t) => {
  const root = await folder(t);
  const reason = new Error('interrupted');
  await t.throwsAsync(writeImage(hello, join(root, 'out.tar'), AbortSignal.abort(reason)));
  t.deepEqual(await readdir(root), []);
});

async function folder(t: ExecutionContext): Promise<string> {
  const path = await temporary(t);
  return path;
}

async function write(t: ExecutionContext, spec: ImageSpec) {
  const unpacked = await folder(t);
  const archive = join(await folder(t), 'image.tar');
  const { digest, reference } = await writeImage(spec, archive, never);
  await extract({ file: archive, cwd: unpacked, strict: true });
  const read = async (path: string): Promise<unknown> =>
    JSON.parse(await readFile(join(unpacked, path), 'utf8'));
  const json = async <Name extends keyof Documents>(name: Name) => (await read(name)) as Documents[Name];
  const [{ Layers }] = await json('manifest.json');
  const layer = join(unpacked, Layers[0]);
  return {
    archive,
    folder: unpacked,
    layer,
    digest,
    reference,
    json,
    read,
    blob: (descriptor: Descriptor) => read(`blobs/${descriptor.digest.replace(':', '/')}`),
    unpackLayer: async (t: ExecutionContext) => {
      const cwd = await folder(t);
      await extract({ file: layer, cwd, strict: true });
      return cwd;
    },
  };
}
