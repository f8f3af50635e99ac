import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { parsePortSpec } from '#src/rootless/port-spec.js';
import { createPortStore } from '#src/rootless/port-store.js';
import { temporary } from '../temporary.js';

const [web, dns] = [parsePortSpec('0.0.0.0:8080:80/tcp'), parsePortSpec('[::1]:53:53/udp')];

test('ports are kept in order, each once, in a file of the owner alone', async (t) => {
  const file = join(await temporary(t), 'ports.json');
  t.deepEqual(await createPortStore(file).list(), []);
  const store = createPortStore(file);
  await store.add(web);
  await store.add(dns);
  await store.add(web);
  t.deepEqual(await createPortStore(file).list(), [dns, web]);
  t.is((await stat(file)).mode & 0o777, 0o600);
  t.deepEqual(JSON.parse(await readFile(file, 'utf8')), {
    ports: ['[::1]:53:53/udp', '0.0.0.0:8080:80/tcp'],
  });
});

test('a removed port is gone, an unknown one is none the worse', async (t) => {
  const store = createPortStore(join(await temporary(t), 'ports.json'));
  await store.add(web);
  await store.remove(dns);
  t.deepEqual(await store.list(), [web]);
  await store.remove(web);
  t.deepEqual(await store.list(), []);
});

test('changes at the same time are all kept', async (t) => {
  const store = createPortStore(join(await temporary(t), 'ports.json'));
  const specs = Array.from({ length: 20 }, (_, index) => ({ ...web, parentPort: 9000 + index }));
  await Promise.all(specs.map((spec) => store.add(spec)));
  t.deepEqual(await store.list(), specs);
});

test('a damaged file is an error that says what to do, and is left alone', async (t) => {
  const file = join(await temporary(t), 'ports.json');
  for (const content of ['{"ports": [', '{}', '{"ports": ["8080"]}']) {
    await writeFile(file, content);
    const store = createPortStore(file);
    await t.throwsAsync(store.add(web), { message: /is damaged$/ });
    await t.throwsAsync(store.list(), { message: /is damaged$/ });
    t.is(await readFile(file, 'utf8'), content);
  }
});
