import test from 'ava';
import { logLines, mergeByTime, selectLines, type LogLine } from '#src/cli/logs/merge.js';
import { lineTime, parseSince } from '#src/cli/logs/time.js';

const now = new Date(2026, 10, 23, 12, 0, 0);
const at = (hour: number, minute: number, second = 0): number =>
  new Date(2026, 10, 23, hour, minute, second).getTime();

test('the time of a line in each form that components write', (t) => {
  const utc = Date.UTC(2026, 10, 23, 7, 0, 1) + 250;
  t.is(lineTime('I1123 07:00:01.250000   42 server.go:1] hello', now), at(7, 0, 1) + 250);
  t.is(lineTime('{"level":"warn","ts":"2026-11-23T07:00:01.250000Z","msg":"slow"}', now), utc);
  t.is(lineTime('time="2026-11-23T07:00:01.250Z" level=info msg="containerd booted"', now), utc);
  t.is(lineTime('2026-11-23T07:00:01.250Z etcd: started', now), utc);
  t.is(lineTime('2026-11-23T09:00:01.25+02:00 etcd: started', now), utc);
  for (const line of ['', 'goroutine 1 [running]:', 'msg="x" time="2026-11-23T07:00:01Z"', 'I1123 nonsense'])
    t.is(lineTime(line, now), undefined, line);
});

test('a line without a year is never from the future', (t) => {
  const newYear = new Date(2027, 0, 1, 0, 5);
  t.is(lineTime('W1231 23:59:00.000000 x', newYear), new Date(2026, 11, 31, 23, 59).getTime());
});

test('--since takes spans and times', (t) => {
  t.is(parseSince('90s', now), now.getTime() - 90_000);
  t.is(parseSince('1h30m', now), now.getTime() - 5_400_000);
  t.is(parseSince('2d', now), now.getTime() - 2 * 86_400_000);
  t.is(parseSince('2026-11-23T07:00:00Z', now), Date.UTC(2026, 10, 23, 7));
  for (const wrong of ['', '5', '5 m', '-5m', 'yesterday', '2026-99-99'])
    t.is(parseSince(wrong, now), undefined);
});

async function* chunks(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

async function textsOf(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { service, text } of lines) texts.push(`${service} ${text}`);
  return texts;
}

const klogLines = (...lines: [string, string][]): string =>
  lines.map(([time, text]) => (time === '' ? `${text}\n` : `I1123 ${time}.000000 ${text}\n`)).join('');

test('logs are merged by time, and what has no time stays with the line before', async (t) => {
  const a = klogLines(['07:00:01', 'a1'], ['', 'trace of a1'], ['07:00:05', 'a2']);
  const b = klogLines(['', 'banner'], ['07:00:02', 'b1'], ['07:00:05', 'b2']);
  const merged = mergeByTime([logLines('a', chunks(a), now), logLines('b', chunks(b), now)]);
  t.deepEqual(
    (await textsOf(merged)).map((text) => text.replace(/I1123 \S+ /, '')),
    ['b banner', 'a a1', 'a trace of a1', 'b b1', 'a a2', 'b b2'],
  );
});

test('only the lines since a time, and only the last of those', async (t) => {
  const log = klogLines(
    ['', 'banner'],
    ['07:00:01', 'one'],
    ['07:00:02', 'two'],
    ['', 'more'],
    ['07:00:03', 'three'],
  );
  const select = async (since: number | undefined, count: number | undefined): Promise<string[]> =>
    (await textsOf(selectLines(logLines('a', chunks(log), now), since, count))).map(
      (text) => text.split(' ').at(-1) ?? '',
    );
  t.deepEqual(await select(at(7, 0, 2), undefined), ['two', 'more', 'three']);
  t.deepEqual(await select(at(7, 0, 2), 2), ['more', 'three']);
  t.deepEqual(await select(undefined, 0), []);
});
