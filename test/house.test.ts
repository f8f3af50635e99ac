import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import test from 'ava';

/** From the top down: a room may use those further down, never those before it. ESLint has them from the same file. */
const rooms = JSON.parse(readFileSync('floors.json', 'utf8')) as string[];

/** Tables may be longer than other files: one entry a thing, nothing but data. */
const tables = new Set(['src/settings/table.ts', 'src/artifacts/catalog.ts']);

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join('src', file))
  .sort();
const texts = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]));
const imports = new Map(files.map((file) => [file, importsOf(file)]));

/** Files of src that a file imports, statically or not; types as well, since a reader follows those too. */
function importsOf(file: string): string[] {
  const found = (texts.get(file) ?? '').matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)\.js'/g);
  return [...found].map(([, path = '']) => `${normalize(join(dirname(file), path))}.ts`);
}

const roomOf = (file: string): string => file.split('/')[1] ?? '';

test('every file is in a room that has a floor', (t) => {
  t.deepEqual(
    [...new Set(files.map(roomOf))].filter((room) => !rooms.includes(room)),
    [],
  );
});

test('every import leads to a file', (t) => {
  const lost = [...imports].flatMap(([file, paths]) =>
    paths.filter((path) => !texts.has(path)).map((path) => `${file} → ${path}`),
  );
  t.deepEqual(lost, []);
});

test('imports lead down, or stay in their room', (t) => {
  const up = [...imports].flatMap(([file, paths]) =>
    paths
      .filter((path) => rooms.indexOf(roomOf(path)) < rooms.indexOf(roomOf(file)))
      .map((path) => `${file} → ${path}`),
  );
  t.deepEqual(up, []);
});

test('no file imports itself by way of others', (t) => {
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file);
    if (at !== -1) circles.push([...way.slice(at), file].join(' → '));
    if (at !== -1 || done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  t.deepEqual(circles, []);
});

test('only cli names files that are executed', (t) => {
  const named = [...texts]
    .filter(([file]) => roomOf(file) !== 'cli')
    .filter(([, text]) => /['"`/]dist\/|['"`/](entries|cli)\/[\w.-]+\.js/.test(withoutImports(text)))
    .map(([file]) => file);
  t.deepEqual(named, []);
});

function withoutImports(text: string): string {
  return text.replaceAll(/^.*\b(from|import)\b.*'.*$/gm, '').replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, '');
}

test('a command imports its run module dynamically, and nothing else', (t) => {
  const commands = files.filter((file) => file.startsWith('src/cli/commands/'));
  const wrong = commands.flatMap((file) => {
    const verb = file.replace(/^.*\/|(\.run)?\.ts$/g, '');
    const dynamic = [...(texts.get(file) ?? '').matchAll(/\bimport\('([^']+)'\)/g)].map(
      ([, path = '']) => path,
    );
    return dynamic.filter((path) => path !== `./${verb}.run.js`).map((path) => `${file} → ${path}`);
  });
  t.deepEqual(wrong, []);
});

test('no file is longer than 250 lines, but tables', (t) => {
  const long = [...texts]
    .filter(([file, text]) => !tables.has(file) && text.split('\n').length - 1 > 250)
    .map(([file]) => file);
  t.deepEqual(long, []);
});
