import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  manifestsAppearance,
  hasCharts,
  readManifests,
  type ManifestFiles,
} from '#src/addons/manifests/files.js';
import { untilChanged } from '#src/addons/manifests/watch.js';
import { codeOf } from '#src/lib/errors.js';
import { temporary } from '../../temporary.js';

const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

async function folderWith(t: ExecutionContext, files: Record<string, string>): Promise<string> {
  const folder = await temporary(t);
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
  return folder;
}

const names = ({ manifests }: ManifestFiles): string[] => manifests.map(({ object }) => object.metadata.name);

test('files of both folders are read in order; a folder need not be there', async (t) => {
  const folder = await folderWith(t, {
    'b.yml': configMap('b'),
    'a.yaml': `# words\n---\n${configMap('a1')}---\n${configMap('a2')}`,
    'c.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}',
    '.hidden.yaml': configMap('hidden'),
    'a.yaml~': configMap('backup'),
    'README.md': 'words',
  });
  const cluster = join(folder, 'default');
  await mkdir(cluster);
  await writeFile(join(cluster, 'd.yaml'), configMap('d'));
  const found = await readManifests([folder, cluster, join(folder, 'missing')]);
  t.deepEqual(found.faults, []);
  t.deepEqual(names(found), ['a1', 'a2', 'b', 'c', 'd']);
  t.deepEqual(
    found.manifests.map(({ line }) => line),
    [3, 8, 1, 1, 1],
  );
});

test('a list is what is in it', async (t) => {
  const items = `items:\n- ${configMap('x').trim().replaceAll('\n', '\n  ')}\n`;
  const folder = await folderWith(t, { 'l.yaml': `apiVersion: v1\nkind: List\n${items}` });
  t.deepEqual(names(await readManifests([folder])), ['x']);
});

test('a broken file is named with its line, and the others are read', async (t) => {
  const folder = await folderWith(t, {
    'a.yaml': `${configMap('a')}---\nkind: ConfigMap\nmetadata: { name: x }\n`,
    'b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: [\n',
    'c.yaml': configMap('c'),
  });
  const found = await readManifests([folder]);
  t.deepEqual(names(found), ['c']);
  t.deepEqual(
    found.faults.map(({ file, line, error }) => [file.split('/').at(-1), line, codeOf(error)]),
    [
      ['a.yaml', 6, 'manifest-invalid'],
      ['b.yaml', 4, 'manifest-invalid'],
    ],
  );
});

test('of an object that two files have, the first counts', async (t) => {
  const folder = await folderWith(t, { 'a.yaml': configMap('x'), 'b.yaml': configMap('x') });
  const found = await readManifests([folder]);
  t.deepEqual(
    found.manifests.map(({ file }) => file),
    [join(folder, 'a.yaml')],
  );
  t.deepEqual(
    found.faults.map(({ file }) => file),
    [join(folder, 'b.yaml')],
  );
});

test('a chart is a file of its own kind, whose paths are seen from its folder', async (t) => {
  const folder = await folderWith(t, {
    'web.chart.yaml': 'chart: ./web-1.0.0.tgz\nnamespace: shop\nvalues: { replicas: 2 }\n',
    'oci.chart.yaml': 'name: other\nchart: oci://registry.example/web\nversion: 1.2.3\n',
  });
  t.true(await hasCharts([folder]));
  const { charts, faults } = await readManifests([folder]);
  t.deepEqual(faults, []);
  t.like(charts[0], {
    name: 'other',
    namespace: 'default',
    chart: 'oci://registry.example/web',
    version: '1.2.3',
  });
  t.like(charts[1], {
    name: 'web',
    namespace: 'shop',
    chart: join(folder, 'web-1.0.0.tgz'),
    values: { replicas: 2 },
  });
  await writeFile(join(folder, 'web-1.0.0.tgz'), 'now it is there');
  const [, after] = (await readManifests([folder])).charts;
  t.not(after?.fingerprint, charts[1]?.fingerprint);
});

for (const [what, text] of [
  ['no chart', 'name: web\n'],
  ['a field that there is not', 'chart: ./web\nvalue: { a: 1 }\n'],
  ['a chart that is an option of helm', 'chart: --post-renderer=/bin/sh\n'],
  ['a name that is none', 'chart: ./web\nname: -x\n'],
  ['values that are none', 'chart: ./web\nvalues: 3\n'],
] as const) {
  test(`a chart with ${what} is refused`, async (t) => {
    const folder = await folderWith(t, { 'x.chart.yaml': text });
    const { charts, faults } = await readManifests([folder]);
    t.deepEqual([charts.length, codeOf(faults[0]?.error)], [0, 'manifest-invalid']);
  });
}

test('a change is noticed at once, also that the folder comes into being', async (t) => {
  const home = await temporary(t);
  const folders = [join(home, 'config/manifests')];
  const signal = AbortSignal.timeout(20_000);
  const change = async (work: () => Promise<unknown>): Promise<number> => {
    const before = await manifestsAppearance(folders);
    const noticed = untilChanged(folders, before, 15_000, signal);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const from = performance.now();
    await work();
    await noticed;
    t.not(await manifestsAppearance(folders), before);
    return performance.now() - from;
  };
  const file = join(folders[0] ?? '', 'a.yaml');
  await mkdir(folders[0] ?? '', { recursive: true });
  t.true((await change(() => writeFile(file, configMap('a')))) < 4_000);
  t.true((await change(() => writeFile(file, configMap('other')))) < 4_000);
});
