import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createPortKeeper, type PortKeeper } from '#src/launcher/port-keeper.js';
import { parsePortSpec } from '#src/rootless/port-spec.js';
import { fakeRootlessKit, publishing } from '../rootless/fake-rootlesskit.js';
import { temporary } from '../temporary.js';

const { signal } = new AbortController();
const apiServer = { spec: parsePortSpec('127.0.0.1:6443:6443/tcp'), owner: 'api-server' };
const web = parsePortSpec('0.0.0.0:8080:80/tcp');
const dns = parsePortSpec('127.0.0.1:5353:53/udp');
const inUse = 'bind: address already in use';

/** A keeper of a cluster whose description has the port `web`, before a RootlessKit that finds `taken` ports in use. */
async function keeper(
  t: ExecutionContext,
  taken: number[] = [],
  record?: string,
): Promise<{ ports: PortKeeper; published: () => string[]; record: string }> {
  const { socket, asked } = await fakeRootlessKit(
    t,
    publishing((body) => (taken.some((port) => body.includes(`"parentPort":${port}`)) ? inUse : undefined)),
  );
  const file = record ?? join(await temporary(t), 'ports.json');
  const plan = { apiSocket: socket, record: file, builtIn: [apiServer], config: [web] };
  const published = (): string[] =>
    asked.filter((line) => line.startsWith('POST')).map((line) => line.slice(15));
  return { ports: createPortKeeper(plan), published, record: file };
}

test('what was kept is published by the next start, after what the description says', async (t) => {
  const first = await keeper(t);
  await first.ports.keep(dns);
  const second = await keeper(t, [], first.record);
  await second.ports.publish((message) => t.fail(message), signal);
  t.deepEqual(
    second.published(),
    [web, dns].map((spec) => JSON.stringify(spec)),
  );
  t.deepEqual(await second.ports.ports(), [
    apiServer,
    { spec: web, owner: 'config' },
    { spec: dns, owner: 'manual' },
  ]);
});

test('what was forgotten is not', async (t) => {
  const { ports, published } = await keeper(t);
  await ports.keep(dns);
  await ports.forget(dns);
  await ports.publish((message) => t.fail(message), signal);
  t.deepEqual(published(), [JSON.stringify(web)]);
});

test('a kept port that is taken costs a warning; it stays on record, with the reason, and is had when free', async (t) => {
  const taken = [5353];
  const { ports } = await keeper(t, taken);
  await ports.keep(dns);
  const warnings: string[] = [];
  await ports.publish((message) => void warnings.push(message), signal);
  t.regex(warnings.join(), /by hand is not published again: 127\.0\.0\.1:5353\/udp is in use/);
  t.regex((await ports.ports()).at(-1)?.problem?.reason ?? '', /is in use/);
  taken.pop();
  await ports.publish((message) => t.fail(message), signal);
  t.is((await ports.ports()).at(-1)?.problem, undefined);
});

test('a port of the description that is taken is an error, the others are published all the same', async (t) => {
  const { ports, published } = await keeper(t, [8080]);
  await ports.keep(dns);
  await t.throwsAsync(
    ports.publish((message) => t.fail(message), signal),
    { message: /0\.0\.0\.0:8080\/tcp is in use/ },
  );
  t.true(published().includes(JSON.stringify(dns)));
});

test('a damaged record costs a warning that says what to do', async (t) => {
  const { ports, record } = await keeper(t);
  await writeFile(record, 'damaged');
  const warnings: string[] = [];
  await ports.publish((message) => void warnings.push(message), signal);
  t.regex(warnings.join(), /is damaged$/);
});

test('a port of the description that is added by hand does not become one by hand as well', async (t) => {
  const { ports } = await keeper(t);
  await ports.keep(web);
  t.deepEqual(await ports.ports(), [apiServer, { spec: web, owner: 'config' }]);
});
