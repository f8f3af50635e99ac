import test from 'ava';
import fc from 'fast-check';
import { createFrameReader, frame } from '#src/rootless/dns/frames.js';

test('messages arrive whole and in order, however the stream is cut', (t) => {
  const messages = fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 8 });
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 50 }), (sent, size) => {
      const stream = Buffer.concat(sent.map((each) => frame(Buffer.from(each))));
      const read: Buffer[] = [];
      const take = createFrameReader((message) => read.push(Buffer.from(message)));
      for (let at = 0; at < stream.length; at += size) take(stream.subarray(at, at + size));
      return read.length === sent.length && read.every((each, index) => each.equals(sent[index] ?? each));
    }),
  );
  t.pass();
});
