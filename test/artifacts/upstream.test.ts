/** The lock file of this project against archives with upstream's own layouts, over TLS. */
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import test from 'ava';
import { readLock, type LockEntry } from '#src/artifacts/recipe.js';
import { architecture } from '#src/lib/architecture.js';
import { checkDownloads, pinSizes, type Checked } from '../gate/check-downloads.js';
import { createInternet, redirectTo, type Site } from './internet.js';
import { createProject, sha256, writeLock } from './support.js';

/** What upstream's archives have beside what we take. */
const around: Readonly<Record<string, string[]>> = {
  etcd: ['etcdutl', 'README.md', 'Documentation/README.md'],
  'containerd-static': ['containerd-stress'],
  'cni-plugins': ['./LICENSE', './dhcp'],
  crio: ['cri-o/etc/crio.conf', 'cri-o/README.md'],
  docker: ['docker/ctr'],
};

const program = (version: string): Buffer => Buffer.from(`#!/bin/sh\necho version ${version}\n`);

/** A release file as upstream has it, whose programs are scripts that say their version. */
function releaseFile(entry: LockEntry): Buffer {
  if (entry.kind === 'binary') return program(entry.version);
  const files = [...(entry.members ?? ['go/bin/go', 'go/src/fmt/print.go']), ...(around[entry.name] ?? [])];
  const folders = new Set(files.flatMap((file) => (file.includes('/') ? [`${file.split('/')[0]}/`] : [])));
  const blocks = [...folders, ...files].flatMap((path) => {
    const content = path.endsWith('/') ? Buffer.alloc(0) : program(entry.version);
    const header = Buffer.alloc(512);
    new Header({
      path,
      type: path.endsWith('/') ? 'Directory' : 'File',
      mode: 0o755,
      size: content.length,
      mtime: new Date(0),
    }).encode(header);
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

test('every file of the lock is fetched from where upstream has it, checked and asked for its version', async (t) => {
  t.timeout(300_000);
  const bytes = new Map<string, Buffer>();
  const entries = readLock('.').map((entry) => {
    const file = releaseFile(entry);
    bytes.set(entry.url.replace('https://', ''), file);
    const { size: _size, ...rest } = entry;
    return { ...rest, sha256: sha256(file) };
  });
  const site: Site = (request, response) => {
    const file = bytes.get(`${request.headers.host}${request.url}`);
    if (file === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-length': file.length }).end(file);
  };
  /** As GitHub and go.dev do: the bytes come from another host. */
  const assets: Site = (request, response) => {
    const file = bytes.get((request.url ?? '').slice(1));
    response.writeHead(file ? 200 : 404).end(file);
  };
  const away: Site = (request, response) =>
    redirectTo(`https://assets.example/${request.headers.host}${request.url}`)(request, response);
  const internet = await createInternet(t, {
    'dl.k8s.io': site,
    'github.com': away,
    'go.dev': away,
    'download.docker.com': site,
    'storage.googleapis.com': site,
    'assets.example': assets,
  });
  const projectRoot = await createProject(t);
  await writeLock(projectRoot, entries);
  const checked: Checked[] = await checkDownloads({
    projectRoot,
    env: { PATH: process.env['PATH'], ...internet.env },
    signal: new AbortController().signal,
    report: () => {},
  });
  t.deepEqual(
    checked.filter(({ fault }) => fault !== undefined),
    [],
  );
  t.is(checked.length, entries.length);
  const own = checked.filter(({ entry }) => entry.arch === architecture() && entry.name !== 'go');
  t.true(own.every(({ said }) => said !== undefined));
  await pinSizes(projectRoot, checked);
  t.true(
    readLock(projectRoot).every(({ size, url }) => size === bytes.get(url.replace('https://', ''))?.length),
  );
});
