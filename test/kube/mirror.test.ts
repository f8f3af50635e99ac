import test from 'ava';
import type { KubeClient } from '#src/kube/client.js';
import { mirror } from '#src/kube/mirror.js';
import { clientOf, json, line, removePki, type Answer } from './fake-api.js';

test.after.always(removePki);

type Thing = { metadata: { uid: string; resourceVersion: string }; colour?: string };

const thing = (uid: string, version: number, colour?: string): Thing => ({
  metadata: { uid, resourceVersion: `${version}` },
  ...(colour === undefined ? {} : { colour }),
});
const list = (version: number, items: Thing[], more?: string): object => ({
  metadata: { resourceVersion: `${version}`, ...(more === undefined ? {} : { continue: more }) },
  items,
});

type Step = (url: URL, respond: Parameters<Answer>[1]) => void;

/** Runs a mirror against an API that answers with one step after another, until the state is `last`; returns all states. */
async function states(
  client: (answer: Answer) => Promise<KubeClient>,
  steps: Step[],
  last: Record<string, string>,
): Promise<{ states: Record<string, string>[]; urls: string[]; faults: number }> {
  const seen: Record<string, string>[] = [];
  const urls: string[] = [];
  const done = new AbortController();
  let faults = 0;
  await mirror<Thing, string>(
    await client((request, response) => {
      const url = new URL(request.url ?? '', 'https://api');
      urls.push(request.url ?? '');
      (steps.shift() ?? (() => undefined))(url, response);
    }),
    {
      path: '/api/v1/things?fieldSelector=a%3Db',
      keep: ({ colour }) => colour,
      onChange: (present) => {
        seen.push(Object.fromEntries(present));
        if (JSON.stringify(seen.at(-1)) === JSON.stringify(last)) done.abort();
      },
      onFault: (error) => (faults += error === undefined ? 0 : 1),
      signal: AbortSignal.any([done.signal, AbortSignal.timeout(10_000)]),
    },
  );
  return { states: seen, urls, faults };
}

test('lists page by page, then watches from that version on, and keeps only what matters', async (t) => {
  const result = await states(
    (answer) => clientOf(t, answer),
    [
      (_url, response) => json(response, 200, list(5, [thing('a', 1, 'red'), thing('b', 2)], 'more')),
      (_url, response) => json(response, 200, list(5, [thing('c', 3, 'blue')])),
      (_url, response) => {
        response.write(line('MODIFIED', thing('b', 6)));
        response.write(line('MODIFIED', thing('a', 7, 'green')));
        response.write(line('DELETED', thing('c', 8, 'blue')));
        response.write(line('MODIFIED', thing('a', 9)));
      },
    ],
    {},
  );
  t.deepEqual(result.states, [{ a: 'red', c: 'blue' }, { a: 'green', c: 'blue' }, { a: 'green' }, {}]);
  const [first, second, third] = result.urls.map((url) => new URL(url, 'https://api').searchParams);
  t.is(first?.get('fieldSelector'), 'a=b');
  t.is(second?.get('continue'), 'more');
  t.is(third?.get('resourceVersion'), '5');
  t.is(third?.get('watch'), 'true');
});

test('a watch that the server ends is taken up at the last version, bookmarks included', async (t) => {
  const { urls, states: seen } = await states(
    (answer) => clientOf(t, answer),
    [
      (_url, response) => json(response, 200, list(5, [])),
      (_url, response) => {
        response.write(line('ADDED', thing('a', 6, 'red')));
        response.end(line('BOOKMARK', thing('', 40)));
      },
      (url, response) =>
        response.write(line('ADDED', thing('b', 41, url.searchParams.get('resourceVersion') ?? ''))),
    ],
    { a: 'red', b: '40' },
  );
  t.is(urls.length, 3);
  t.deepEqual(seen, [{}, { a: 'red' }, { a: 'red', b: '40' }]);
});

test('when the version is too old it lists again: what was deleted meanwhile is gone', async (t) => {
  const { states: seen, faults } = await states(
    (answer) => clientOf(t, answer),
    [
      (_url, response) => json(response, 200, list(5, [thing('a', 1, 'red')])),
      (_url, response) => response.end(line('ERROR', { kind: 'Status', code: 410, reason: 'Expired' })),
      (_url, response) => json(response, 200, list(90, [thing('b', 2, 'blue')])),
    ],
    { b: 'blue' },
  );
  t.deepEqual(seen, [{ a: 'red' }, { b: 'blue' }]);
  t.is(faults, 0);
});

test('a refusal and a broken connection are told, and it begins again', async (t) => {
  const { states: seen, faults } = await states(
    (answer) => clientOf(t, answer),
    [
      (_url, response) => json(response, 403, { reason: 'Forbidden', message: 'not yet' }),
      (_url, response) => json(response, 200, list(5, [thing('a', 1, 'red')])),
      (_url, response) => response.destroy(),
      (_url, response) => json(response, 200, list(9, [thing('a', 7, 'green')])),
    ],
    { a: 'green' },
  );
  t.deepEqual(seen, [{ a: 'red' }, { a: 'green' }]);
  t.is(faults, 2);
});
