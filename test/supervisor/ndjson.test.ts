import { PassThrough, Readable, Writable } from 'node:stream';
import test from 'ava';
import fc from 'fast-check';
import { isNumber, isObject as any, objectOf } from '#src/lib/shape.js';
import { messageWriter, readMessages } from '#src/supervisor/ndjson.js';

async function readAll(chunks: Buffer[], onInvalid?: (line: string) => void): Promise<object[]> {
  return collect(readMessages(Readable.from(chunks), any, onInvalid));
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test('messages come through whole, however the bytes are cut', async (t) => {
  const message = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue());
  await fc.assert(
    fc.asyncProperty(
      fc.array(message),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      async (messages, cuts) => {
        const sink = new PassThrough();
        const write = messageWriter(sink);
        for (const message of messages) write(message);
        sink.end();
        const bytes = Buffer.concat((await sink.toArray()) as Buffer[]);
        const chunks: Buffer[] = [];
        for (let at = 0, index = 0; at < bytes.length; index++) {
          const length = cuts[index % cuts.length] ?? 1;
          chunks.push(bytes.subarray(at, (at += length)));
        }
        const expected = JSON.parse(JSON.stringify(messages)) as object[];
        t.deepEqual(await readAll(chunks), expected);
      },
    ),
    { numRuns: 50 },
  );
});

test('arbitrary bytes never throw and spoil no message between them', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), async (noise) => {
      const messages = await readAll([Buffer.from(noise), Buffer.from('\n{"type":"stop"}\n')]);
      t.deepEqual(messages.at(-1), { type: 'stop' });
    }),
  );
});

test('stray lines are reported and skipped', async (t) => {
  const invalid: string[] = [];
  const messages = await readAll([Buffer.from('oops\n\n7\nnull\n{"a":1}\n{"b":')], (line) =>
    invalid.push(line),
  );
  t.deepEqual(messages, [{ a: 1 }]);
  t.deepEqual(invalid, ['oops', '7', 'null', '{"b":']);
});

test('what is not recognized is reported too', async (t) => {
  const invalid: string[] = [];
  const accept = objectOf<{ a: number }>({ a: isNumber });
  const messages = readMessages(Readable.from([Buffer.from('{"a":1}\n{"b":2}\n')]), accept, (line) =>
    invalid.push(line),
  );
  t.deepEqual(await collect(messages), [{ a: 1 }]);
  t.deepEqual(invalid, ['{"b":2}']);
});

test('a last message without an end of line counts', async (t) => {
  t.deepEqual(await readAll([Buffer.from('{"a":1}')]), [{ a: 1 }]);
});

test('a stream that breaks ends the messages', async (t) => {
  const input = new PassThrough();
  input.write('{"a":1}\n');
  const messages = readMessages(input, any);
  t.deepEqual((await messages.next()).value, { a: 1 });
  input.destroy(new Error('connection reset'));
  t.true((await messages.next()).done);
});

test('a line without end does not fill the memory', async (t) => {
  let served = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      served++;
      yield await Promise.resolve(Buffer.alloc(65_536, 'x'));
    }
  }
  t.deepEqual(await collect(readMessages(Readable.from(endless()), any)), []);
  t.true(served < 50);
});

test('a reader that stalls neither holds up the writer nor loses a message', async (t) => {
  const taken: string[] = [];
  let release = (): void => {};
  const stalled = new Promise<void>((resolve) => (release = resolve));
  const output = new Writable({
    highWaterMark: 16,
    decodeStrings: false,
    write: (line: string, _encoding, done) => void stalled.then(() => (taken.push(line), done())),
  });
  const write = messageWriter(output);
  for (let index = 0; index < 1_000; index++) write({ index });
  t.is(taken.length, 0);
  release();
  await new Promise<void>((resolve) => output.end(resolve));
  t.deepEqual(
    taken.map((line) => (JSON.parse(line) as { index: number }).index),
    Array.from({ length: 1_000 }, (_, index) => index),
  );
});

test('a reader that has gone is no error', async (t) => {
  const output = new PassThrough();
  const write = messageWriter(output);
  output.destroy(new Error('EPIPE'));
  await new Promise((resolve) => output.once('close', resolve));
  t.notThrows(() => write({ type: 'late' }));
});
