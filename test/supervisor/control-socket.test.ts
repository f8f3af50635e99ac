import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { U7sError } from '#src/lib/errors.js';
import { isString, objectOf } from '#src/lib/shape.js';
import {
  NoAnswerError,
  NotServedError,
  request,
  serveControl,
  serverOf,
  subscribe,
  type Handler,
} from '#src/supervisor/control-socket.js';
import { temporaryDir } from './harness.js';

type Ask = { say: string };
type Answer = { said: string };

const accept = objectOf<Ask>({ say: isString });
const isAnswer = objectOf<Answer>({ said: isString });
const echo: Handler<Ask, Answer> = ({ say }, send) => send({ said: say });
const ask = (path: string, say = 'hello', timeoutMs = 30_000): Promise<Answer> =>
  request<Ask, Answer>(path, { say }, { isAnswer, timeoutMs });

async function serve(
  t: Parameters<typeof temporaryDir>[0],
  handle: Handler<Ask, Answer> = echo,
): Promise<string> {
  const path = join(await temporaryDir(t), 'run', 'control.sock');
  const server = await serveControl(path, accept, handle);
  t.teardown(() => server.close());
  return path;
}

test.serial('only its owner reaches the socket, whatever the umask and the folder was', async (t) => {
  const dir = join(await temporaryDir(t), 'run');
  await mkdir(dir);
  await chmod(dir, 0o755);
  const umask = process.umask(0);
  t.teardown(() => process.umask(umask));
  const server = await serveControl(join(dir, 's'), accept, echo);
  t.teardown(() => server.close());
  t.is((await stat(dir)).mode & 0o777, 0o700);
  t.is((await stat(join(dir, 's'))).mode & 0o777, 0o600);
});

test('a request is answered', async (t) => {
  const path = await serve(t);
  t.deepEqual(await ask(path, 'zwölf\n'), { said: 'zwölf\n' });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(path, `${index}`)));
  t.deepEqual(
    answers,
    Array.from({ length: 50 }, (_, index) => ({ said: `${index}` })),
  );
});

test('a subscriber gets every answer until there are no more', async (t) => {
  const path = await serve(t, async ({ say }, send) => {
    for (const letter of say) {
      send({ said: letter });
      await new Promise(setImmediate);
    }
  });
  const answers: string[] = [];
  for await (const { said } of subscribe<Ask, Answer>(
    path,
    { say: 'abc' },
    isAnswer,
    new AbortController().signal,
  ))
    answers.push(said);
  t.deepEqual(answers, ['a', 'b', 'c']);
});

test('a subscriber that goes away ends the work for it', async (t) => {
  let ended = (): void => {};
  const end = new Promise<void>((resolve) => (ended = resolve));
  const path = await serve(t, async (_, send, signal) => {
    send({ said: 'first' });
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    ended();
  });
  const abort = new AbortController();
  for await (const answer of subscribe<Ask, Answer>(path, { say: '' }, isAnswer, abort.signal)) {
    t.deepEqual(answer, { said: 'first' });
    abort.abort();
  }
  await end;
  t.deepEqual(await ask(path), { said: 'first' });
  t.timeout(30_000);
});

test('a subscriber that does not read is dropped before it costs much memory', async (t) => {
  let sent = 0;
  let dropped = (): void => {};
  const end = new Promise<void>((resolve) => (dropped = resolve));
  const path = await serve(t, async (_, send, signal) => {
    for (; !signal.aborted; sent++) {
      send({ said: 'x'.repeat(2 ** 16) });
      await new Promise(setImmediate);
    }
    dropped();
  });
  const socket = connect(path).pause();
  socket.write('{"say":""}\n');
  await end;
  t.true(sent < 100);
  socket.destroy();
});

test('what the server throws reaches the client with its code and fixes', async (t) => {
  const path = await serve(t, () => {
    throw new U7sError('no-such-thing', 'no such thing', { fixes: ['try another'] });
  });
  const error = await t.throwsAsync(ask(path), { instanceOf: U7sError, message: 'no such thing' });
  t.like(error, { code: 'no-such-thing', fixes: ['try another'] });
});

test('a server that does not answer is not waited for', async (t) => {
  const path = await serve(
    t,
    (_ask, _send, signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
  );
  await t.throwsAsync(ask(path, '', 50), {
    instanceOf: NoAnswerError,
    message: /has not answered within 0.05 s/,
  });
  const abort = new AbortController();
  const waiting = request<Ask, Answer>(
    path,
    { say: '' },
    { isAnswer, signal: abort.signal, timeoutMs: 60_000 },
  );
  abort.abort(new Error('interrupted'));
  await t.throwsAsync(waiting, { message: 'interrupted' });
});

test('who serves a socket can be told, also when it does not answer', async (t) => {
  const path = await serve(t, () => new Promise(() => undefined));
  t.like(await serverOf(path), { pid: process.pid });
  t.is(await serverOf(`${path}.other`), undefined);
});

test('one that hangs up without an answer is told', async (t) => {
  const path = await serve(t, () => {});
  await t.throwsAsync(ask(path), { message: /hung up without an answer/ });
});

test('what is not a request gets an error, and the server lives on', async (t) => {
  const path = await serve(t);
  const socket = connect(path);
  socket.write('GET / HTTP/1.1\n{"say":"x"}\n');
  const answers = Buffer.concat((await socket.toArray()) as Buffer[]).toString();
  const [refused, answered] = answers.trim().split('\n');
  t.like(JSON.parse(refused ?? ''), { code: 'unknown-request' });
  t.is(answered, '{"answer":{"said":"x"}}');
  t.deepEqual(await ask(path), { said: 'hello' });
});

test('where nobody serves, the client is told so by the kind of error', async (t) => {
  const path = join(await temporaryDir(t), 's');
  await t.throwsAsync(ask(path), { instanceOf: NotServedError, message: /^cannot connect to .*ENOENT/ });
});

test('a live server is not displaced; after it has closed the path is free', async (t) => {
  const path = join(await temporaryDir(t), 's');
  const first = await serveControl(path, accept, echo);
  await t.throwsAsync(serveControl(path, accept, echo), {
    message: `another process serves ${path} already`,
  });
  t.deepEqual(await ask(path), { said: 'hello' });
  await first.close();
  const second = await serveControl(path, accept, echo);
  t.deepEqual(await ask(path), { said: 'hello' });
  await second.close();
});

test('a socket whose server was killed is replaced', async (t) => {
  const path = join(await temporaryDir(t), 's');
  const script = `require('net').createServer().listen(process.argv[1], () => console.log('listening'))`;
  const child = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.true((await stat(path)).isSocket());
  await t.throwsAsync(ask(path), { instanceOf: NotServedError });
  const server = await serveControl(path, accept, echo);
  t.deepEqual(await ask(path), { said: 'hello' });
  await server.close();
});

test('anything else in its place is left alone', async (t) => {
  const path = join(await temporaryDir(t), 's');
  await writeFile(path, 'precious');
  await t.throwsAsync(serveControl(path, accept, echo), {
    message: `${path} is in the way: it is not a socket`,
  });
  t.is((await stat(path)).size, 8);
});

test('closing hangs up on whoever is connected', async (t) => {
  const path = join(await temporaryDir(t), 's');
  const server = await serveControl<Ask, Answer>(path, accept, async (_, send, signal) => {
    send({ said: 'first' });
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  });
  const answers = subscribe<Ask, Answer>(path, { say: '' }, isAnswer, new AbortController().signal);
  t.deepEqual((await answers.next()).value, { said: 'first' });
  await server.close();
  t.true((await answers.next()).done);
});

test('a path that does not fit a socket is refused on both sides, with the fix', async (t) => {
  const path = join('/tmp', 'ü'.repeat(52)); // 4 + 1 + 104 bytes, but fewer characters
  for (const attempt of [() => ask(path), () => serveControl(path, accept, echo)]) {
    const error = await t.throwsAsync(attempt, { message: /is 109 bytes long, a socket takes at most 107/ });
    t.is((error as U7sError).code, 'path-too-long');
  }
});
