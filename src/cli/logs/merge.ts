import { lineTime } from './time.js';

/** `time` is that of the line or, if it has none, of the line before it: a stack trace stays together. */
export type LogLine = { service: string; text: string; time: number };

/** The lines, without their ends, of one log. Those before the first that has a time count as the oldest of all. */
export async function* logLines(
  service: string,
  chunks: AsyncIterable<Buffer>,
  now: Date,
): AsyncGenerator<LogLine> {
  let time = -Infinity;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    for (const text of chunk.toString().replace(/\n$/, '').split('\n')) {
      time = lineTime(text, now) ?? time;
      yield { service, text, time };
    }
  }
}

/** The lines from `since` on; of them the last `count` only, if it is given. */
export async function* selectLines(
  lines: AsyncIterable<LogLine>,
  since: number | undefined,
  count: number | undefined,
): AsyncGenerator<LogLine> {
  const last: LogLine[] = [];
  for await (const line of lines) {
    if (since !== undefined && line.time < since) continue;
    if (count === undefined) {
      yield line;
      continue;
    }
    last.push(line);
    if (last.length > count) last.shift();
  }
  yield* last;
}

/** Merges logs, each in order by itself, in the order of time; of equal times the log that was named first comes first. */
export async function* mergeByTime(logs: readonly AsyncIterator<LogLine>[]): AsyncGenerator<LogLine> {
  const heads = await Promise.all(logs.map((log) => log.next()));
  for (;;) {
    let first: { index: number; line: LogLine } | undefined;
    for (const [index, { value, done }] of heads.entries()) {
      if (!done && (first === undefined || value.time < first.line.time)) first = { index, line: value };
    }
    if (first === undefined) return;
    yield first.line;
    const next = await logs[first.index]?.next();
    if (next !== undefined) heads[first.index] = next;
  }
}
