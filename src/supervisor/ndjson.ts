import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Shape } from '../lib/shape.js';

/** In characters. No message of ours comes near it; what does is not one. */
const maxLineLength = 2 ** 20;

/**
 * The messages of a stream of JSON, one a line, until it ends or breaks. A line that is no message is passed to
 * `onInvalid` and skipped: a stray line must not bring down what depends on the stream.
 */
export async function* readMessages<T extends object>(
  input: Readable,
  isMessage: Shape<T>,
  onInvalid: (line: string) => void = () => {},
): AsyncGenerator<T, void, void> {
  for await (const line of lines(input)) {
    const value = parsed(line);
    if (isMessage(value)) yield value;
    else if (line.trim()) onInvalid(line);
  }
}

/**
 * Returns the sender of messages to a stream. It never waits and drops nothing: what the reader does not take is kept.
 * A reader that has gone is no error; it shows in the other direction.
 */
export function messageWriter<T extends object>(output: Writable): (message: T) => void {
  output.on('error', () => {});
  return (message) => {
    if (output.writable) output.write(`${JSON.stringify(message)}\n`);
  };
}

async function* lines(input: Readable): AsyncGenerator<string, void, void> {
  const decoder = new StringDecoder('utf8');
  let pending = '';
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      const parts = (pending + decoder.write(chunk)).split('\n');
      pending = parts.pop() ?? '';
      yield* parts;
      if (pending.length > maxLineLength) break;
    }
  } catch {
    // A broken stream is one that has ended.
  }
  yield pending;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
