import { execFile } from 'node:child_process';
import { appendFile, chmod, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { ArtifactContext } from '#src/artifacts/context.js';
import { ensureArtifacts, listArtifacts, verifyArtifacts } from '#src/artifacts/resolve.js';
import {
  createContext,
  createProject,
  filesBelow,
  notes,
  runcEntry,
  serve,
  writeLock,
  type Handler,
} from './support.js';
import type { U7sError } from '#src/lib/errors.js';
import { likeFixes } from '../like-fixes.js';
import { temporary } from '../temporary.js';

const content = '#!/bin/sh\necho runc version 1.4.3\n';
const mirrorPath = '/downloads.example/runc.amd64';

/** A context whose lock file has runc, and a mirror that has it too unless `answer` says otherwise. */
async function withMirror(
  t: ExecutionContext,
  answer: Handler = (_request, response) => void response.end(content),
): Promise<{ context: Awaited<ReturnType<typeof createContext>>; requests: string[] }> {
  const requests: string[] = [];
  const mirror = await serve(t, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  const projectRoot = await createProject(t, [runcEntry(content)]);
  return { context: await createContext(t, { projectRoot, mirror }), requests };
}

/** A folder with an executable of this name that says which version it is. */
async function hostFolder(t: ExecutionContext, name: string, says: string): Promise<string> {
  const folder = await temporary(t);
  await writeFile(join(folder, name), `#!/bin/sh\necho '${says}'\n`);
  await chmod(join(folder, name), 0o755);
  return folder;
}

function runcOf(resolved: Awaited<ReturnType<typeof ensureArtifacts>>): {
  path: string;
  cached: boolean;
  way: string;
} {
  const { binaries, cached, way } = resolved.get('runc') ?? { binaries: {}, cached: false, way: 'none' };
  return { path: (binaries as Record<string, string>)['runc'] ?? 'none', cached, way };
}

test('an artifact is downloaded once; then it is in the cache and no server is asked', async (t) => {
  const { context, requests } = await withMirror(t);
  const first = runcOf(await ensureArtifacts(['runc'], context));
  t.like(first, { cached: false, way: 'download' });
  t.is(await readFile(first.path, 'utf8'), content);
  t.deepEqual(requests, [`HEAD ${mirrorPath}`, `GET ${mirrorPath}`]);
  t.deepEqual(runcOf(await ensureArtifacts(['runc'], context)), { ...first, cached: true });
  t.is(requests.length, 2);
  const [directory] = await readdir(join(context.store, 'runc'));
  t.deepEqual(await filesBelow(context.store), [
    `runc/${directory}/bin/runc`,
    `runc/${directory}/manifest.json`,
  ]);
});

test('with everything in the cache no package is even loaded', async (t) => {
  const { context } = await withMirror(t);
  await ensureArtifacts(['runc'], context);
  const { store, goCache, projectRoot, arch, way } = context;
  const given = JSON.stringify({ names: ['runc'], context: { store, goCache, projectRoot, arch, way } });
  const hooks = `import { writeSync } from 'node:fs';
    export async function resolve(specifier, context, next) {
      const resolved = await next(specifier, context);
      writeSync(2, resolved.url + '\\n');
      return resolved;
    }`;
  const register = `import { register } from 'node:module';
    register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hooks)}`)});`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    `--import=data:text/javascript,${encodeURIComponent(register)}`,
    'test/fixtures/artifacts/ensure.mjs',
    given,
  ]);
  t.regex(stdout, /"cached":true/);
  t.regex(stderr, /artifacts\/resolve\.js/);
  t.notRegex(stderr, /node_modules/);
});

test('a flipped byte is fatal: no other way is tried and nothing is installed', async (t) => {
  const { context } = await withMirror(
    t,
    (_request, response) => void response.end(content.replace('e', 'E')),
  );
  const env = { PATH: await hostFolder(t, 'runc', 'runc version 1.0.0') };
  await t.throwsAsync(ensureArtifacts(['runc'], { ...context, env }), { name: 'FatalArtifactError' });
  t.deepEqual(await filesBelow(context.store), []);
});

test('a file that is cut short is got again', async (t) => {
  const { context, requests } = await withMirror(t);
  const { path } = runcOf(await ensureArtifacts(['runc'], context));
  await truncate(path, 3);
  t.like(runcOf(await ensureArtifacts(['runc'], context)), { cached: false });
  t.is(await readFile(path, 'utf8'), content);
  t.is(requests.filter((request) => request.startsWith('GET')).length, 2);
});

test('what was installed in another way is not what a forced way asks for', async (t) => {
  const { context } = await withMirror(t);
  const env = { PATH: await hostFolder(t, 'runc', 'runc version 1.0.0') };
  t.is(
    runcOf(await ensureArtifacts(['runc'], { ...context, env, way: 'host' })).path,
    join(env.PATH, 'runc'),
  );
  t.like(runcOf(await ensureArtifacts(['runc'], { ...context, env, way: 'download' })), {
    way: 'download',
    cached: false,
  });
  t.like(runcOf(await ensureArtifacts(['runc'], { ...context, env, way: 'host' })), {
    way: 'host',
    cached: true,
  });
});

test('two processes at once do the work once', async (t) => {
  const { context, requests } = await withMirror(t);
  const { store, goCache, projectRoot, arch, way, mirror } = context;
  const given = JSON.stringify({
    names: ['runc'],
    context: { store, goCache, projectRoot, arch, way, mirror },
  });
  const ensure = () => promisify(execFile)(process.execPath, ['test/fixtures/artifacts/ensure.mjs', given]);
  const outputs = await Promise.all([ensure(), ensure()]);
  const states = outputs.map(({ stdout }) => {
    const { resolved } = JSON.parse(stdout) as { resolved: { cached: boolean }[] };
    return resolved[0]?.cached;
  });
  t.deepEqual(states.sort(), [false, true]);
  t.is(requests.filter((request) => request.startsWith('GET')).length, 1);
});

test('one failure stops the other artifacts, and nothing is left of them', async (t) => {
  const hanging: Handler = (request, response) => {
    if (request.method === 'HEAD' || request.url?.includes('coredns')) return void response.end('coreDNS');
    response.write('a first part'); // and never the rest
  };
  const { context } = await withMirror(t, hanging);
  const coredns = {
    ...runcEntry('CoreDNS'),
    name: 'coredns',
    version: '1.14.4',
    url: 'https://downloads.example/coredns',
  };
  await writeLock(context.projectRoot, [runcEntry(content), coredns]);
  await t.throwsAsync(ensureArtifacts(['runc', 'coredns'], context), {
    code: 'artifact-forged',
    message: /coredns/,
  });
  const left = await filesBelow(context.store);
  t.deepEqual(
    left.filter((file) => !file.startsWith('.partial/')),
    [],
  );
});

test('an abort comes back with its own reason and leaves no lock and no staging folder', async (t) => {
  const abort = new AbortController();
  const reason = new Error('Ctrl-C');
  const { context } = await withMirror(t, (request, response) => {
    if (request.method === 'HEAD') return void response.end();
    abort.abort(reason);
  });
  const error = await t.throwsAsync(ensureArtifacts(['runc'], { ...context, signal: abort.signal }));
  t.is(error, reason);
  t.deepEqual(await filesBelow(context.store), []);
});

test('the leftovers of a killed process are removed', async (t) => {
  const { context } = await withMirror(t);
  const { path } = runcOf(await ensureArtifacts(['runc'], context));
  const id = path.split('/').at(-3) ?? '';
  await rm(join(context.store, 'runc', id), { recursive: true });
  await mkdir(join(context.store, 'runc', `.${id}.abcd.tmp`, 'work'), { recursive: true });
  await writeFile(
    join(context.store, 'runc', `.${id}.lock`),
    JSON.stringify({ pid: 999_999_999, startTime: '1' }),
  );
  await ensureArtifacts(['runc'], context);
  t.deepEqual(await readdir(join(context.store, 'runc')), [id]);
});

/** A port on which nobody listens: connections are refused at once, as without a network. */
const nowhere = 'http://127.0.0.1:9';

test('without network and Go the error names both and what to do', async (t) => {
  const { context } = await withMirror(t);
  const env = { PATH: await temporary(t) };
  const offline: ArtifactContext = { ...context, env, mirror: nowhere, way: 'auto' };
  const error = await t.throwsAsync<U7sError>(ensureArtifacts(['coredns'], offline));
  t.is(error?.code, 'artifact-unavailable');
  t.regex(error?.message ?? '', /coredns 1\.14\.4/);
  await writeLock(context.projectRoot, [runcEntry(content)]);
  const failed = await t.throwsAsync<U7sError>(ensureArtifacts(['runc'], offline));
  t.regex(failed?.message ?? '', /127\.0\.0\.1:9 cannot be reached/);
  likeFixes(t, failed?.fixes, [/HTTPS_PROXY/, /U7S_MIRROR/, /install/, /--artifact runc=PATH$/]);
});

test('without network what is no Go program is taken from the host, and a note says so', async (t) => {
  const { context } = await withMirror(t);
  const slirp4netns = { ...runcEntry('x'), name: 'slirp4netns', version: '1.3.5' };
  await writeLock(context.projectRoot, [slirp4netns]);
  const env = { PATH: await hostFolder(t, 'slirp4netns', 'slirp4netns version 1.2.0') };
  const resolved = await ensureArtifacts(['slirp4netns'], { ...context, env, mirror: nowhere });
  t.like(resolved.get('slirp4netns'), { way: 'host', version: '1.2.0', cached: false });
  t.regex(
    notes(context.events).join('\n'),
    /127\.0\.0\.1:9 cannot be reached[^]*using the host's own, version 1\.2\.0/,
  );
});

test('each file is asked for once before it is downloaded', async (t) => {
  const { context, requests } = await withMirror(
    t,
    (_request, response) => void response.writeHead(404).end(),
  );
  const entries = ['slirp4netns 1.3.5', 'fuse-overlayfs 1.17'].map((text) => {
    const [name = '', version = ''] = text.split(' ');
    return { ...runcEntry('x'), name, version };
  });
  await writeLock(context.projectRoot, entries);
  await t.throwsAsync(
    ensureArtifacts(['slirp4netns', 'fuse-overlayfs'], {
      ...context,
      env: { PATH: await temporary(t) },
      way: 'download',
    }),
  );
  t.deepEqual(
    requests.filter((request) => request.startsWith('HEAD')),
    [`HEAD ${mirrorPath}`, `HEAD ${mirrorPath}`],
  );
});

test('the list shows the way and the path of what is here, and asks the host for its version', async (t) => {
  const { context } = await withMirror(t);
  const env = { PATH: await hostFolder(t, 'slirp4netns', 'slirp4netns version 1.2.0') };
  const host = { ...context, env };
  await ensureArtifacts(['slirp4netns'], { ...host, way: 'host' });
  await ensureArtifacts(['runc'], host);
  const listed = new Map((await listArtifacts(host)).map((artifact) => [artifact.name, artifact]));
  t.like(listed.get('slirp4netns'), { way: 'host', version: '1.2.0' });
  t.like(listed.get('runc'), { way: 'download', version: '1.4.3' });
  t.is(listed.get('etcd')?.way, undefined);
});

test('verify finds a changed file, and a lost one', async (t) => {
  const { context } = await withMirror(t);
  const { path } = runcOf(await ensureArtifacts(['runc'], context));
  t.deepEqual(
    (await verifyArtifacts(context)).map(({ state }) => state),
    ['ok'],
  );
  await appendFile(path, 'x');
  t.deepEqual(
    (await verifyArtifacts(context)).map(({ state }) => state),
    ['changed'],
  );
  await rm(path);
  t.deepEqual(
    (await verifyArtifacts(context)).map(({ state }) => state),
    ['missing'],
  );
});

test('a start hashes a program again that looks different, and gets one anew that is another', async (t) => {
  const { context, requests } = await withMirror(t);
  const starting = { ...context, rehash: true };
  const { path } = runcOf(await ensureArtifacts(['runc'], starting));
  const downloads = requests.length;
  t.true(runcOf(await ensureArtifacts(['runc'], starting)).cached);

  // As before, only its time and inode are others.
  await rm(path);
  await writeFile(path, content, { mode: 0o755 });
  t.true(runcOf(await ensureArtifacts(['runc'], starting)).cached);
  t.is(requests.length, downloads);

  const forged = content.replace('1.4.3', '9.9.9');
  await writeFile(path, forged);
  t.true(runcOf(await ensureArtifacts(['runc'], context)).cached, 'the way of kubectl takes no time for it');
  t.like(runcOf(await ensureArtifacts(['runc'], starting)), { cached: false, way: 'download' });
  t.is(await readFile(path, 'utf8'), content);
  t.true(context.events.some((event) => event.kind === 'warning' && event.code === 'artifact-changed'));
});
