/** Downloads over TLS from an internet that does what the real one does on bad days. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { download, type DownloadOptions } from '#src/artifacts/download/download.js';
import { agentFor } from '#src/artifacts/download/proxy-agent.js';
import type { LockEntry } from '#src/artifacts/recipe.js';
import type { U7sError } from '#src/lib/errors.js';
import { createInternet, inTurn, redirectTo, type Internet, type Site } from './internet.js';
import { filesBelow, sha256 } from './support.js';
import { likeFixes } from '../like-fixes.js';
import { temporary } from '../temporary.js';

const content = await readFile(process.execPath).then((bytes) => elfOf(bytes));
const half = Math.floor(content.length / 2);
const archive = gzipSync(Buffer.from(Array.from({ length: 50_000 }, (_, index) => (index * index) % 251)));

/** A small program whose parts are all where its headers say: this Node.js' header, with no further parts. */
function elfOf(program: Buffer): Buffer {
  const bytes = Buffer.from(program.subarray(0, 100_000));
  bytes.writeBigUInt64LE(64n, 32); // one segment, which is the whole file, and no sections
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt16LE(0, 60);
  bytes.writeBigUInt64LE(0n, 64 + 8);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 64 + 32);
  return bytes;
}

const url = 'https://github.com/opencontainers/runc/releases/download/v1.4.3/runc.amd64';
const asset = 'https://release-assets.githubusercontent.com/production/1?se=2026&sig=secret';

const runc: LockEntry = {
  name: 'runc',
  version: '1.4.3',
  arch: 'amd64',
  url,
  kind: 'binary',
  sha256: sha256(content),
  size: content.length,
};
const unsized = ({ size: _size, ...entry }: LockEntry): LockEntry => entry;
const archived: LockEntry = { ...unsized(runc), kind: 'tar.gz', sha256: sha256(archive) };

const whole: Site = (_request, response) =>
  void response.writeHead(200, { 'content-length': content.length, etag: '"one"' }).end(content);
const sends =
  (body: Buffer | string, headers: Record<string, string | number> = {}, status = 200): Site =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body);
/** Ends without a word about the length, as HTTP/1.0 does. */
const cut =
  (bytes: Buffer): Site =>
  (_request, response) => {
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { connection: 'close' }).end(bytes);
  };
const page = '<!DOCTYPE html><title>Blocked</title>';

type Outcome = { path: string; internet: Internet; result: Promise<void> };

async function from(
  t: ExecutionContext,
  asset: Site,
  { entry = runc, ...given }: Partial<DownloadOptions> & { entry?: LockEntry } = {},
): Promise<Outcome> {
  const internet = await createInternet(t, {
    'github.com': redirectTo(assetUrl),
    'release-assets.githubusercontent.com': asset,
  });
  const path = join(await temporary(t), 'runc');
  const result = download(entry, path, {
    agent: agentFor(internet.env),
    signal: new AbortController().signal,
    progress: () => {},
    retryMs: 1,
    ...given,
  });
  return { path, internet, result };
}
const assetUrl = asset;

const gets = ({ visits }: Internet): number => visits.filter(({ host }) => host !== 'github.com').length;

test('a file comes over TLS from the host that upstream redirects to', async (t) => {
  const { path, internet, result } = await from(t, whole);
  await result;
  t.deepEqual(await readFile(path), content);
  t.is(internet.visits.length, 2);
  t.true(internet.visits.every(({ headers }) => headers['accept-encoding'] === 'identity'));
});

test('a certificate that nobody trusts is not asked for again, and the fix says where to put it', async (t) => {
  const internet = await createInternet(t, { 'github.com': whole });
  const error = await t.throwsAsync<U7sError>(
    download(runc, join(await temporary(t), 'runc'), {
      agent: agentFor(internet.distrusting),
      signal: new AbortController().signal,
      progress: () => {},
      retryMs: 1,
    }),
    { code: 'download-unreachable' },
  );
  likeFixes(t, error?.fixes, [/SSL_CERT_FILE/]);
  t.true(error?.message.includes('github.com'));
});

for (const variable of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_DIR']) {
  test(`${variable} names further certificates to trust`, async (t) => {
    const { env, distrusting } = await createInternet(t, { 'github.com': whole });
    const bundle = env['SSL_CERT_FILE'] ?? '';
    const named = variable === 'SSL_CERT_DIR' ? join(bundle, '..') : bundle;
    const path = join(await temporary(t), 'runc');
    await download(runc, path, {
      agent: agentFor({ ...distrusting, [variable]: named }),
      signal: new AbortController().signal,
      progress: () => {},
    });
    t.deepEqual(await readFile(path), content);
  });
}

test('a host that never answers is the one that the error names, without the key in its URL', async (t) => {
  const { internet, result } = await from(t, () => {}, { answerMs: 3_000 });
  const error = await t.throwsAsync(result, { code: 'download-unreachable' });
  t.true(error.message.includes('release-assets.githubusercontent.com'));
  t.notRegex(error.message, /secret/);
  t.true(gets(internet) > 1);
});

test('a host that cannot be reached through the proxy is tried again', async (t) => {
  const internet = await createInternet(t, { 'github.com': redirectTo('https://elsewhere.example/x') });
  const result = download(runc, join(await temporary(t), 'runc'), {
    agent: agentFor(internet.env),
    signal: new AbortController().signal,
    progress: () => {},
    retryMs: 1,
  });
  await t.throwsAsync(result, { code: 'proxy-failed', message: /elsewhere\.example/ });
  t.is(internet.visits.length, 5);
});

const blocked: [how: string, site: Site][] = [
  ['that says it is one', sends(page, { 'content-type': 'text/html' })],
  ['that says it is a file', sends(page, { 'content-type': 'application/octet-stream' })],
];
for (const [how, site] of blocked) {
  test(`a block page ${how} is no forgery, and the file comes when it is gone`, async (t) => {
    const never = await from(t, site);
    const error = await t.throwsAsync<U7sError>(never.result, { code: 'download-blocked' });
    t.not(error?.name, 'FatalArtifactError');
    likeFixes(t, error?.fixes, [/log in/, /U7S_MIRROR/]);
    t.deepEqual(await filesBelow(join(never.path, '..')), []);
    const once = await from(t, inTurn(site, whole));
    await once.result;
    t.deepEqual(await readFile(once.path), content);
  });

  test(`a block page ${how} does not replace the part that is there`, async (t) => {
    const partly: Site = (_request, response) => {
      response.writeHead(200, { 'content-length': content.length, etag: '"one"' });
      response.write(content.subarray(0, half));
    };
    const rest: Site = (request, response) => {
      const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1]);
      const range = `bytes ${start}-${content.length - 1}/${content.length}`;
      response.writeHead(206, { 'content-range': range }).end(content.subarray(start));
    };
    const { path, internet, result } = await from(t, inTurn(partly, site, rest), { stallMs: 1_000 });
    await result;
    t.deepEqual(await readFile(path), content);
    t.is(gets(internet), 3);
  });
}

test('a file that somebody compresses on its way is unpacked', async (t) => {
  for (const headers of [{ 'content-encoding': 'gzip' }, {}]) {
    const { path, result } = await from(t, sends(gzipSync(content), headers));
    await result;
    t.deepEqual(await readFile(path), content);
    t.deepEqual(await filesBelow(join(path, '..')), ['runc', 'runc.validator']);
  }
});

test('an archive whose own compression is announced as one of the way stays as it is', async (t) => {
  const { path, result } = await from(t, sends(archive, { 'content-encoding': 'gzip' }), { entry: archived });
  await result;
  t.deepEqual(await readFile(path), archive);
});

for (const [what, entry, part] of [
  ['a program', runc, content.subarray(0, half)],
  ['a program of unknown size', unsized(runc), content.subarray(0, half)],
  ['an archive of unknown size', archived, archive.subarray(0, Math.floor(archive.length / 2))],
] as const) {
  test(`${what} that ends early without a word is a part, and is got again`, async (t) => {
    const never = await from(t, cut(part), { entry });
    const error = await t.throwsAsync(never.result, { code: 'download-failed' });
    t.not(error.name, 'FatalArtifactError');
    t.deepEqual(await filesBelow(join(never.path, '..')), []);
    const bytes = entry === archived ? archive : content;
    const { path, result } = await from(t, inTurn(cut(part), sends(bytes)), { entry });
    await result;
    t.deepEqual(await readFile(path), bytes);
  });
}

test('lengths that are lies do not matter', async (t) => {
  const tooShort = sends(content.subarray(0, half), { 'content-length': half });
  const tooLong: Site = (_request, response) => {
    response.writeHead(200, { 'content-length': content.length * 2 });
    response.write(content);
    setTimeout(() => response.destroy(), 50);
  };
  const { path, result } = await from(t, inTurn(tooShort, tooLong, sends(content)));
  await result;
  t.deepEqual(await readFile(path), content);
});

test('a server that never stops is cut off', async (t) => {
  const endless: Site = (_request, response) => {
    const more = (): void => {
      while (response.write(content));
      response.once('drain', more);
    };
    response.writeHead(200);
    more();
  };
  const { path, result } = await from(t, endless);
  await t.throwsAsync(result, { code: 'download-failed' });
  t.true((await readFile(path)).length <= content.length + 1024 * 1024);
});

const otherArchive = gzipSync('something else');
const flipped = Buffer.from(content);
flipped[70_000] = (flipped[70_000] ?? 0) ^ 1;
for (const [what, entry, body] of [
  ['the right size', runc, flipped],
  ['unknown size, complete by its own headers,', unsized(runc), flipped],
  ['unknown size, a sound archive,', archived, otherArchive],
] as const) {
  test(`a file of ${what} with another sum is forged: it is not asked for again`, async (t) => {
    const { path, internet, result } = await from(t, sends(body), { entry });
    await t.throwsAsync(result, { name: 'FatalArtifactError', code: 'artifact-forged' });
    t.is(gets(internet), 1);
    t.deepEqual(await filesBelow(join(path, '..')), []);
  });
}

test('a damaged archive of unknown size is got again', async (t) => {
  const damaged = Buffer.from(archive);
  damaged.writeUInt32LE(7, damaged.length - 8);
  const { path, result } = await from(t, inTurn(sends(damaged), sends(archive)), { entry: archived });
  await result;
  t.deepEqual(await readFile(path), archive);
});

test('a part that does not fit the rest is no forgery: the file is got once more as a whole', async (t) => {
  const path = join(await temporary(t), 'runc');
  const internet = await createInternet(t, {
    'github.com': inTurn(
      sends(
        content.subarray(half),
        { 'content-range': `bytes ${half}-${content.length - 1}/${content.length}` },
        206,
      ),
      whole,
    ),
  });
  await writeFile(path, Buffer.alloc(half, 'x'));
  await writeFile(`${path}.validator`, '"one"');
  const options = { agent: agentFor(internet.env), signal: new AbortController().signal, progress: () => {} };
  await download(runc, path, { ...options, retryMs: 1 });
  t.deepEqual(await readFile(path), content);
  t.deepEqual(
    internet.visits.map(({ headers }) => headers.range),
    [`bytes=${half}-`, undefined],
  );
});

test('a server that says when to come again is asked then', async (t) => {
  const busy = sends('', { 'retry-after': 1 }, 429);
  const started = Date.now();
  const { path, result } = await from(t, inTurn(busy, whole));
  await result;
  t.deepEqual(await readFile(path), content);
  t.true(Date.now() - started >= 1_000);
});

test('a server that wants to be left alone for an hour is given up', async (t) => {
  const { internet, result } = await from(t, sends('', { 'retry-after': 3600 }, 503));
  await t.throwsAsync(result, { code: 'download-failed' });
  t.is(gets(internet), 1);
});

test('what is there already costs no request', async (t) => {
  const { path, internet, result } = await from(t, whole);
  await result;
  const options = { agent: agentFor(internet.env), signal: new AbortController().signal, progress: () => {} };
  await download(runc, path, options);
  t.is(gets(internet), 1);
});

test("a mirror's password goes to the mirror alone, and into no message", async (t) => {
  const internet = await createInternet(t, {
    'mirror.example': redirectTo('https://elsewhere.example/x'),
    'elsewhere.example': sends('', {}, 403),
  });
  const options = { agent: agentFor(internet.env), signal: new AbortController().signal, progress: () => {} };
  const mirror = 'https://me:s3cret%21@mirror.example/files/';
  const path = join(await temporary(t), 'runc');
  const error = await t.throwsAsync(download(runc, path, { ...options, mirror }), {
    code: 'download-failed',
  });
  t.notRegex(error.message, /s3cret/);
  t.deepEqual(
    internet.visits.map(({ host, headers }) => [host, headers.authorization]),
    [
      ['mirror.example', `Basic ${Buffer.from('me:s3cret!').toString('base64')}`],
      ['elsewhere.example', undefined],
    ],
  );
  t.deepEqual(internet.seen()[0], `GET mirror.example/files/${url.replace('https://', '')}`);
});

test('a mirror that is no URL is an error that does not print it', async (t) => {
  const options = { agent: agentFor({}), signal: new AbortController().signal, progress: () => {} };
  const path = join(await temporary(t), 'runc');
  const error = await t.throwsAsync(download(runc, path, { ...options, mirror: 'me:s3cret@mirror' }), {
    code: 'mirror-invalid',
  });
  t.notRegex(error.message, /s3cret/);
});
