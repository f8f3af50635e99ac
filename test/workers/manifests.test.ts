import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Event } from '#src/lib/events.js';
import { manifests } from '#src/workers/manifests.js';
import { json, removePki, serveApi } from '../kube/fake-api.js';
import { temporary } from '../temporary.js';

test.after.always(removePki);

const configMap = (name: string, value = '1'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { a: "${value}" }\n`;
const widget = 'apiVersion: example.org/v1\nkind: Widget\nmetadata: { name: w }\n';

const core = [
  { name: 'configmaps', kind: 'ConfigMap', namespaced: true },
  { name: 'configmaps/status', kind: 'ConfigMap', namespaced: true },
];

/** A cluster as far as it matters, and the worker that follows a folder of it. */
async function cluster(t: ExecutionContext) {
  const objects = new Map<string, unknown>();
  const events: Event[] = [];
  let servesWidgets = false;
  const api = await serveApi(t, ({ method = '', url = '' }, response, body) => {
    const path = url.replace(/\?.*/, '');
    if (path === '/api/v1') return json(response, 200, { resources: core });
    if (path === '/apis/example.org/v1' && servesWidgets)
      return json(response, 200, { resources: [{ name: 'widgets', kind: 'Widget', namespaced: false }] });
    if (path.endsWith('/refused') && method === 'PATCH')
      return json(response, 422, { message: 'data is wrong', reason: 'Invalid' });
    if (method === 'PATCH') {
      const object = JSON.parse(body) as { metadata: object };
      objects.set(path, object);
      return json(response, 200, { ...object, metadata: { ...object.metadata, uid: 'u' } });
    }
    if (method === 'DELETE') objects.delete(path);
    const found = objects.get(path);
    return found === undefined ? json(response, 404, { code: 404 }) : json(response, 200, found);
  });
  const folder = await temporary(t);
  const over = new AbortController();
  const plan = { folders: [folder], nodeName: 'node1', helm: '/nowhere/helm', helmEnv: {} };
  const context = { since: new Date(), report: (event: Event) => events.push(event) };
  let running: Promise<void> | undefined;
  t.teardown(async () => {
    over.abort();
    await running?.catch(() => undefined);
  });
  return {
    start: () => {
      const worker = manifests(plan, api);
      running = worker.run(context as unknown as Parameters<typeof worker.run>[0], over.signal);
      running.catch(() => undefined);
    },
    file: (name: string) => join(folder, name),
    write: (name: string, text: string) => writeFile(join(folder, name), text),
    present: () =>
      [...objects.keys()].flatMap((path) =>
        /\/(default\/configmaps|widgets)\//.test(path) ? [path.split('/').at(-1)] : [],
      ),
    told: () => events.flatMap((event) => (event.kind === 'warning' ? [event.text] : [])),
    serveWidgets: () => void (servesWidgets = true),
    until: async (isTrue: () => boolean): Promise<void> => {
      const end = Date.now() + 15_000;
      while (!isTrue() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
      t.true(isTrue());
    },
  };
}

test('files are applied, changed files again, and what is in none any more is removed', async (t) => {
  const { start, write, file, present, until } = await cluster(t);
  await write('a.yaml', `${configMap('one')}---\n${configMap('two')}`);
  start();
  await until(() => present().length === 2);
  await write('a.yaml', `${configMap('two', 'other')}---\n${configMap('three')}`);
  await until(() => present().sort().join() === 'three,two');
  await rm(file('a.yaml'));
  await until(() => present().length === 0);
});

test('a file that is broken is told with its line; what it was keeps its place, and others go on', async (t) => {
  const { start, write, file, present, told, until } = await cluster(t);
  await write('a.yaml', configMap('one'));
  start();
  await until(() => present().join() === 'one');
  await write('a.yaml', 'kind: [\n');
  await write('b.yaml', `${configMap('two')}---\n${configMap('refused')}`);
  await until(() => present().join() === 'one,two');
  await until(() => told().some((text) => text.startsWith(`${file('a.yaml')}:2: `)));
  await until(() => told().includes(`${file('b.yaml')}:6: data is wrong`));
});

test('an object waits for its kind, and nobody hears of that', async (t) => {
  const { start, write, present, told, serveWidgets, until } = await cluster(t);
  await write('a.yaml', `${widget}---\n${configMap('one')}`);
  start();
  await until(() => present().join() === 'one');
  serveWidgets();
  await until(() => present().sort().join() === 'one,w');
  t.deepEqual(told(), []);
});

test('a chart without helm is a fault of its file', async (t) => {
  const { start, write, present, told, until } = await cluster(t);
  await write('web.chart.yaml', 'chart: ./web\n');
  await write('a.yaml', configMap('one'));
  start();
  await until(() => present().join() === 'one');
  await until(() => told().some((text) => text.includes('web.chart.yaml')));
});
