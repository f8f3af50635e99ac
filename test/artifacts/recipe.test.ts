import { appendFile, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ArtifactName } from '#src/artifacts/artifact.js';
import { artifactNames, catalog } from '#src/artifacts/catalog.js';
import { readLock, readRecipe, waysOf, type Recipe } from '#src/artifacts/recipe.js';
import { temporary } from '../temporary.js';

const arch = 'amd64';

/** A copy of this project's own lock file and Go modules. */
async function ownProject(t: ExecutionContext): Promise<string> {
  const root = await temporary(t);
  for (const folder of ['config', 'build']) await cp(folder, join(root, folder), { recursive: true });
  return root;
}

function recipes(projectRoot: string): Map<ArtifactName, Recipe> {
  const lock = readLock(projectRoot);
  return new Map(artifactNames.map((name) => [name, readRecipe(name, { projectRoot, arch }, lock)]));
}

/** `<artifact> <way>` whose folder in the store has another name after `change`. */
async function changedBy(t: ExecutionContext, change: (root: string) => Promise<void>): Promise<string[]> {
  const root = await ownProject(t);
  const before = recipes(root);
  await change(root);
  const after = recipes(root);
  return artifactNames.flatMap((name) =>
    (['download', 'build', 'host'] as const)
      .filter((way) => before.get(name)?.ids[way] !== after.get(name)?.ids[way])
      .map((way) => `${name} ${way}`),
  );
}

test('a folder in the store is named by version and twelve digits of a hash', async (t) => {
  const { ids } = recipes(await ownProject(t)).get('etcd') as Recipe;
  t.regex(ids.build, /^3\.6\.14-[0-9a-f]{12}$/);
  t.regex(ids.download, /^3\.6\.14-[0-9a-f]{12}$/);
});

test('nothing changes when nothing changes', async (t) => {
  t.deepEqual(await changedBy(t, async () => {}), []);
});

for (const file of ['go.mod', 'go.sum']) {
  test(`a change to one component's ${file} rebuilds that component alone`, async (t) => {
    const changed = await changedBy(t, (root) => appendFile(join(root, 'build/etcd', file), '\n'));
    t.deepEqual(changed, ['etcd build']);
  });
}

test('a change to the Go source in a build folder rebuilds', async (t) => {
  const changed = await changedBy(t, (root) => appendFile(join(root, 'build/kubernetes/main.go'), '\n'));
  t.deepEqual(changed, ['kubernetes build']);
});

test('another checksum downloads anew and does not rebuild', async (t) => {
  const changed = await changedBy(t, async (root) => {
    const path = join(root, 'config/artifacts.lock.json');
    const [runc] = readLock(root).filter((entry) => entry.name === 'runc' && entry.arch === arch);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(runc?.sha256 ?? 'none', '0'.repeat(64)));
  });
  t.deepEqual(changed, ['runc download']);
});

test('a change to the other architecture changes nothing here', async (t) => {
  const changed = await changedBy(t, async (root) => {
    const path = join(root, 'config/artifacts.lock.json');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replaceAll('arm64', 'riscv64'));
  });
  t.deepEqual(changed, []);
});

test('a patch rebuilds its component, and so does a change to the patch', async (t) => {
  const root = await ownProject(t);
  const folder = join(root, 'patches/runc/1.4.3');
  const without = recipes(root).get('runc') as Recipe;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'series'), '# why\n0001-a.patch\n');
  await writeFile(join(folder, '0001-a.patch'), 'one');
  const first = recipes(root).get('runc') as Recipe;
  await writeFile(join(folder, '0001-a.patch'), 'two');
  const second = recipes(root).get('runc') as Recipe;
  t.is(new Set([without, first, second].map(({ ids }) => ids.build)).size, 3);
  t.is(new Set([without, first, second].map(({ ids }) => ids.download)).size, 1);
  t.deepEqual(first.patches, [join(folder, '0001-a.patch')]);
});

test('a series that names a missing patch is an error', async (t) => {
  const root = await ownProject(t);
  await mkdir(join(root, 'patches/runc/1.4.3'), { recursive: true });
  await writeFile(join(root, 'patches/runc/1.4.3/series'), '0001-lost.patch\n');
  t.throws(() => recipes(root), { code: 'patch-missing', message: /0001-lost\.patch/ });
});

test('automatically: download, build, host; what has patches is only built', async (t) => {
  const etcd = recipes(await ownProject(t)).get('etcd') as Recipe;
  t.deepEqual(waysOf(etcd, 'auto'), ['download', 'build', 'host']);
  t.deepEqual(waysOf(etcd, 'host'), ['host']);
  t.deepEqual(waysOf({ ...etcd, patches: ['0001-a.patch'] }, 'auto'), ['build', 'download', 'host']);
});

test('slirp4netns has no Go module: download, host', async (t) => {
  const slirp4netns = recipes(await ownProject(t)).get('slirp4netns') as Recipe;
  t.deepEqual(waysOf(slirp4netns, 'auto'), ['download', 'host']);
});

test('skopeo has neither releases nor a Go module here: it is the host’s, whatever is wanted', async (t) => {
  const skopeo = recipes(await ownProject(t)).get('skopeo') as Recipe;
  t.deepEqual(waysOf(skopeo, 'auto'), ['host']);
  t.deepEqual(waysOf(skopeo, 'download'), ['host']);
});

test('what is our own program, or must be built in our way, is always built', async (t) => {
  const all = recipes(await ownProject(t));
  for (const name of ['flannel', 'netcheck', 'local-storage', 'network-policies'] as const) {
    for (const wanted of ['auto', 'download', 'host'] as const) {
      t.deepEqual(waysOf(all.get(name) as Recipe, wanted), ['build']);
    }
  }
});

for (const name of artifactNames.filter((each) => catalog[each].downloads.length > 0)) {
  test(`${name}: the lock file has the catalog's version for both architectures, with checksums and members`, (t) => {
    const { version, downloads, binaries } = catalog[name];
    for (const arch of ['amd64', 'arm64']) {
      const entries = readLock('.').filter((entry) => downloads.includes(entry.name) && entry.arch === arch);
      t.deepEqual(entries.map((entry) => entry.name).sort(), [...downloads].sort());
      for (const entry of entries) {
        t.is(entry.version, version);
        t.regex(entry.url, /^https:/);
        t.regex(entry.sha256 ?? '', /^[0-9a-f]{64}$/);
      }
      const installed = entries.flatMap(({ kind, name: file, members = [] }) =>
        kind === 'binary' ? [file] : members.map((member) => member.split('/').at(-1)),
      );
      t.deepEqual(installed.sort(), [...binaries].sort());
    }
  });
}
