import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { Header } from 'tar';
import type { LockEntry } from '#src/artifacts/recipe.js';
import type { Fix } from '#src/lib/fixes.js';
import { createProject, runcEntry, serve, sha256 } from '../artifacts/support.js';
import { likeFixes } from '../like-fixes.js';
import { temporary } from '../temporary.js';

/** `error` is its code. */
type Outcome = { error?: string; fixes?: Fix[]; files: string[] };

/** Downloads coredns from `entry` onto a file system of 256 KiB, in a mount namespace that is gone afterwards. */
async function ensureOnSmallDisk(
  t: ExecutionContext,
  entry: LockEntry,
  content: Uint8Array,
  announced: boolean,
): Promise<Outcome> {
  const mirror = await serve(t, (request, response) => {
    response.writeHead(200, { ...(announced ? { 'content-length': content.length } : {}), etag: '"one"' });
    response.end(request.method === 'HEAD' ? undefined : content);
  });
  const projectRoot = await createProject(t, [entry]);
  const store = join(await temporary(t), 'artifacts');
  await mkdir(store);
  const context = { store, goCache: store, projectRoot, arch: 'amd64', way: 'auto', mirror };
  const script =
    'mount -t tmpfs -o size=256k none "$1"; "$2" test/fixtures/artifacts/ensure.mjs "$3"; find "$1" -type f -printf "%P\\n"';
  const given = JSON.stringify({ names: ['coredns'], context });
  const args = ['-rm', 'sh', '-c', script, 'sh', store, process.execPath, given];
  const { stdout } = await promisify(execFile)('unshare', args);
  const [result = '', ...files] = stdout.trim().split('\n');
  return { ...(JSON.parse(result) as Omit<Outcome, 'files'>), files };
}

/** A .tar.gz of one member, `coredns`, with these bytes. */
function archiveOf(content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  new Header({ path: 'coredns', type: 'File', mode: 0o755, size: content.length, mtime: new Date(0) }).encode(
    header,
  );
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return gzipSync(Buffer.concat([header, content, padding, Buffer.alloc(1024)]));
}

function coreDnsEntry(archive: Uint8Array): LockEntry {
  return {
    ...runcEntry(archive),
    name: 'coredns',
    version: '1.14.4',
    url: 'https://downloads.example/coredns.tgz',
    kind: 'tar.gz',
    sha256: sha256(archive),
    members: ['coredns'],
  };
}

const disks: [what: string, content: Buffer][] = [
  ['the download', randomBytes(400 * 1024)],
  ['the unpacked file', Buffer.concat([randomBytes(100 * 1024), Buffer.alloc(400 * 1024, 'text ')])],
];
for (const [what, content] of disks) {
  for (const announced of [true, false]) {
    const when = announced ? 'before the first byte' : 'when it is full';
    test(`a disk too small for ${what} is named with a fix ${when}, and nothing is left on it`, async (t) => {
      const archive = archiveOf(content);
      const { size: _size, ...unsized } = coreDnsEntry(archive);
      const { error, fixes, files } = await ensureOnSmallDisk(t, unsized, archive, announced);
      t.is(error, 'disk-full');
      likeFixes(t, fixes, announced ? [/^free space/, /XDG_DATA_HOME/] : [/^free space/]);
      t.deepEqual(files, []);
    });
  }
}
