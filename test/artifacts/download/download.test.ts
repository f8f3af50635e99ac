import { access, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { download, type DownloadOptions } from '#src/artifacts/download/download.js';
import { mirrored } from '#src/artifacts/download/mirror.js';
import { agentFor } from '#src/artifacts/download/proxy-agent.js';
import { filesBelow, runcEntry, serve } from '../support.js';
import { temporary } from '../../temporary.js';

const content = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));
const half = content.length / 2;

/** `whenRead` runs its action when the client has read the first half: what lies in buffers would be lost in a cut. */
type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
  whenRead: (action: () => void) => void,
) => void;

/** Downloads `content` from a server that answers the n-th request with `handlers[n]`, the last one again and again. */
async function from(
  t: ExecutionContext,
  handlers: Answer[],
  given: Partial<DownloadOptions> = {},
): Promise<{ path: string; ranges: (string | undefined)[]; result: Promise<void>; shown: number[] }> {
  const ranges: (string | undefined)[] = [];
  const shown: number[] = [];
  let atHalf = (): void => {};
  const mirror = await serve(t, (request, response) => {
    const handler = handlers[Math.min(ranges.length, handlers.length - 1)];
    ranges.push(request.headers.range);
    handler?.(request, response, (action) => (atHalf = action));
  });
  const path = join(await temporary(t), 'runc');
  const result = download(runcEntry(content), path, {
    mirror,
    agent: agentFor({}),
    signal: new AbortController().signal,
    progress: (received) => {
      shown.push(received);
      if (received === half) atHalf();
    },
    retryMs: 1,
    ...given,
  });
  return { path, ranges, result, shown };
}

const whole: Answer = (_request, response) => {
  response.writeHead(200, { 'content-length': content.length, etag: '"one"' }).end(content);
};
const cutInTheMiddle: Answer = (_request, response, whenRead) => {
  response.writeHead(200, { 'content-length': content.length, etag: '"one"' });
  response.write(content.subarray(0, half));
  whenRead(() => response.destroy());
};
const rest: Answer = (request, response) => {
  const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (request.headers['if-range'] !== '"one"') return whole(request, response, () => {});
  response
    .writeHead(206, {
      'content-length': content.length - start,
      'content-range': `bytes ${start}-${content.length - 1}/${content.length}`,
    })
    .end(content.subarray(start));
};
const status =
  (code: number): Answer =>
  (_request, response) => {
    response.writeHead(code).end('no');
  };

test('a file arrives, and its progress is told in bytes', async (t) => {
  const { path, result, shown } = await from(t, [whole]);
  await result;
  t.deepEqual(await readFile(path), content);
  t.is(shown.at(-1), content.length);
});

test('a transfer cut in the middle goes on where it stopped', async (t) => {
  const { path, ranges, result } = await from(t, [cutInTheMiddle, rest]);
  await result;
  t.deepEqual(await readFile(path), content);
  t.is(ranges.length, 2);
  t.regex(ranges[1] ?? '', /^bytes=[1-9]\d*-$/);
});

test('a server that ignores Range is taken from the start', async (t) => {
  const { path, ranges, result } = await from(t, [cutInTheMiddle, whole]);
  await result;
  t.deepEqual(await readFile(path), content);
  t.truthy(ranges[1]);
});

test('without a validator there is no Range', async (t) => {
  const anonymous: Answer = (_request, response, whenRead) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, half));
    whenRead(() => response.destroy());
  };
  const { path, ranges, result } = await from(t, [anonymous, whole]);
  await result;
  t.deepEqual(await readFile(path), content);
  t.deepEqual(ranges, [undefined, undefined]);
});

test('a later run goes on with what an earlier one left', async (t) => {
  const abort = new AbortController();
  const first = await from(t, [cutInTheMiddle, status(404)]);
  await t.throwsAsync(first.result, { code: 'download-failed', message: /HTTP 404/ });
  const ranges: (string | undefined)[] = [];
  const mirror = await serve(t, (request, response) => {
    ranges.push(request.headers.range);
    rest(request, response, () => {});
  });
  const options = { mirror, agent: agentFor({}), signal: abort.signal, progress: () => {} };
  await download(runcEntry(content), first.path, options);
  t.deepEqual(await readFile(first.path), content);
  t.regex(ranges[0] ?? '', /^bytes=[1-9]\d*-$/);
});

test('a flipped byte is fatal, is not tried again and leaves nothing', async (t) => {
  const flipped = Buffer.from(content);
  flipped[1000] = (flipped[1000] ?? 0) ^ 1;
  const { path, ranges, result } = await from(t, [(_request, response) => void response.end(flipped)]);
  await t.throwsAsync(result, {
    name: 'FatalArtifactError',
    code: 'artifact-forged',
    message: /runc\.amd64/,
  });
  t.is(ranges.length, 1);
  t.deepEqual(await filesBelow(join(path, '..')), []);
});

test('a server that is overloaded at first is asked again', async (t) => {
  const { path, ranges, result } = await from(t, [status(503), status(503), whole]);
  await result;
  t.deepEqual(await readFile(path), content);
  t.is(ranges.length, 3);
});

test('what is not there is not asked for again', async (t) => {
  const { ranges, result } = await from(t, [status(404)]);
  await t.throwsAsync(result, { code: 'download-failed', message: /HTTP 404/ });
  t.is(ranges.length, 1);
});

test('a server that never recovers is given up', async (t) => {
  const { ranges, result } = await from(t, [status(503)]);
  await t.throwsAsync(result, { code: 'download-failed', message: /HTTP 503/ });
  t.is(ranges.length, 5);
});

test('a server that stops sending counts as gone', async (t) => {
  const stalls: Answer = (_request, response) => {
    response.writeHead(200, { 'content-length': content.length, etag: '"one"' });
    response.write(content.subarray(0, half));
  };
  const { path, ranges, result } = await from(t, [stalls, rest], { stallMs: 2_000 });
  await result;
  t.deepEqual(await readFile(path), content);
  t.regex(ranges[1] ?? '', /^bytes=/);
});

test('a redirect is followed', async (t) => {
  const elsewhere = await serve(t, (request, response) => whole(request, response, () => {}));
  const { path, result } = await from(t, [
    (_request, response) => void response.writeHead(302, { location: `${elsewhere}/asset` }).end(),
  ]);
  await result;
  t.deepEqual(await readFile(path), content);
});

test('an abort ends the transfer with its own reason and keeps the part for later', async (t) => {
  const abort = new AbortController();
  const reason = new Error('Ctrl-C');
  const halfway: Answer = (_request, response) => {
    response.writeHead(200, { 'content-length': content.length, etag: '"one"' });
    response.write(content.subarray(0, half));
  };
  const progress = (): void => abort.abort(reason);
  const { path, result } = await from(t, [halfway], { signal: abort.signal, progress });
  t.is(await t.throwsAsync(result), reason);
  await t.notThrowsAsync(access(path));
});

test('a mirror has each host as a folder', (t) => {
  const url = 'https://dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet';
  const path = 'dl.k8s.io/release/v1.36.3/bin/linux/amd64/kubelet';
  t.is(mirrored(url, 'http://mirror.example/files/'), `http://mirror.example/files/${path}`);
  t.is(mirrored(url, undefined), url);
});
