import test from 'ava';
import { createFailover } from '#src/rootless/dns/failover.js';
import type { Exchange } from '#src/rootless/dns/exchange.js';

const query = Buffer.alloc(20);
const patience = { nextMs: 20, allMs: 2_000, graceMs: 1_000 };

/** An answer with this code, from which one can tell who gave it. */
function answer(code: number, from = ''): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(code, 3);
  return Buffer.concat([header, Buffer.from(from)]);
}

const [found, failed, noSuchName, refused] = [0, 2, 3, 5];

type Behaviour = 'silent' | 'unreachable' | number;

function world(behaviours: Readonly<Record<string, Behaviour>>): { exchange: Exchange; asked: string[] } {
  const asked: string[] = [];
  const exchange: Exchange = (server, _, signal) => {
    asked.push(server);
    const behaviour = behaviours[server] ?? 'unreachable';
    if (behaviour === 'unreachable') return Promise.reject(new Error('ECONNREFUSED'));
    if (behaviour !== 'silent') return Promise.resolve(answer(behaviour, server));
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  };
  return { exchange, asked };
}

const text = (message: Buffer | undefined): string | undefined => message?.subarray(12).toString();

test('the first server is asked, and nobody else when it answers', async (t) => {
  const { exchange, asked } = world({ a: found, b: found });
  t.is(text(await createFailover(patience).ask(query, ['a', 'b'], exchange)), 'a');
  t.deepEqual(asked, ['a']);
});

for (const behaviour of ['silent', 'unreachable', failed, refused] as const)
  test(`the next one is asked when one is ${behaviour}`, async (t) => {
    const { exchange } = world({ a: behaviour, b: behaviour, c: found });
    t.is(text(await createFailover(patience).ask(query, ['a', 'b', 'c'], exchange)), 'c');
  });

test('that there is no such name is an answer', async (t) => {
  const { exchange, asked } = world({ a: noSuchName, b: found });
  t.is(text(await createFailover(patience).ask(query, ['a', 'b'], exchange)), 'a');
  t.deepEqual(asked, ['a']);
});

test('a server that was silent is asked last for a while, and first again afterwards', async (t) => {
  let now = 0;
  const { ask, silent } = createFailover(patience, () => now);
  const { exchange, asked } = world({ a: 'silent', b: found });
  for (const _ of [1, 2, 3]) t.is(text(await ask(query, ['a', 'b'], exchange)), 'b');
  t.deepEqual(asked, ['a', 'b', 'b', 'b']);
  t.deepEqual(silent(['a', 'b']), ['a']);
  now += patience.graceMs;
  const well = world({ a: found, b: found });
  t.is(text(await ask(query, ['a', 'b'], well.exchange)), 'a');
  t.deepEqual(silent(['a', 'b']), []);
});

test('when all fail, what one of them said is passed on; when all are silent, nothing', async (t) => {
  const failing = world({ a: failed, b: 'unreachable' });
  t.is(text(await createFailover(patience).ask(query, ['a', 'b'], failing.exchange)), 'a');
  const mute = world({ a: 'silent', b: 'silent' });
  t.is(await createFailover(patience).ask(query, ['a', 'b'], mute.exchange), undefined);
  const dead = world({});
  t.is(await createFailover(patience).ask(query, ['a', 'b'], dead.exchange), undefined);
});
