import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { findBuildTools } from '#src/artifacts/build/build.js';
import type { BuildRecipe } from '#src/artifacts/artifact.js';
import { catalog } from '#src/artifacts/catalog.js';
import type { ArtifactContext } from '#src/artifacts/context.js';
import { findGo } from '#src/artifacts/build/go.js';
import { ensureArtifacts } from '#src/artifacts/resolve.js';
import type { U7sError } from '#src/lib/errors.js';
import { likeFixes } from '../../like-fixes.js';
import { isAlive, untilGone } from '#src/lib/processes.js';
import { createContext, createProject, filesBelow, notes, runcEntry, writeLock } from '../support.js';
import { temporary } from '../../temporary.js';

// One cache for all tests here: Go's own runtime is compiled only once.
const goCache = mkdtempSync(join(tmpdir(), 'u7s-go-'));
test.after.always(() => rm(goCache, { recursive: true, force: true }));

/** Milliseconds: the first build here compiles Go's runtime, on a machine that may be busy. */
const patience = 300_000;

/** Nothing here may need the network. */
const env = { PATH: process.env['PATH'], HOME: goCache, GOPROXY: 'off' };

async function buildContext(
  t: ExecutionContext,
  given: Partial<ArtifactContext> = {},
): Promise<Awaited<ReturnType<typeof createContext>>> {
  t.timeout(patience);
  return createContext(t, { projectRoot: await createProject(t), goCache, env, way: 'build', ...given });
}

async function says(path: string | undefined): Promise<string> {
  return (await promisify(execFile)(path ?? 'none')).stdout.trim();
}

async function addPatch(context: ArtifactContext, patch: string): Promise<string> {
  const folder = join(context.projectRoot, 'patches/rootlesskit/3.1.0');
  await mkdir(folder, { recursive: true });
  await copyFile(join('test/fixtures/artifacts/patches', patch), join(folder, patch));
  await writeFile(join(folder, 'series'), `# what is applied, in this order\n${patch}\n`);
  return folder;
}

test.serial('a component is built from its module, each executable under its name', async (t) => {
  const context = await buildContext(t);
  const resolved = (await ensureArtifacts(['rootlesskit'], context)).get('rootlesskit');
  t.like(resolved, { way: 'build', version: '3.1.0', cached: false });
  t.is(await says(resolved?.binaries['rootlesskit']), 'rootlesskit as upstream made it');
  t.is(await says(resolved?.binaries['rootlessctl']), 'rootlessctl as upstream made it');
  t.deepEqual((await filesBelow(resolved?.directory ?? '')).sort(), [
    'bin/rootlessctl',
    'bin/rootlesskit',
    'manifest.json',
  ]);
  t.like((await ensureArtifacts(['rootlesskit'], context)).get('rootlesskit'), { cached: true });
});

test.serial('kubernetes is one binary with six names', async (t) => {
  const context = await buildContext(t);
  const { binaries = {} } = (await ensureArtifacts(['kubernetes'], context)).get('kubernetes') ?? {};
  t.is(await says(binaries['kubelet']), 'called as kubelet');
  t.is(await says(binaries['kube-apiserver']), 'called as kube-apiserver');
  t.deepEqual(Object.keys(binaries), [...catalog.kubernetes.binaries]);
});

test.serial('a series is applied to a copy of the module, which is what gets compiled', async (t) => {
  const context = await buildContext(t);
  await addPatch(context, '0001-say-that-it-is-patched.patch');
  const resolved = (await ensureArtifacts(['rootlesskit'], context)).get('rootlesskit');
  t.is(await says(resolved?.binaries['rootlesskit']), 'rootlesskit with our patch');
  t.is(await says(resolved?.binaries['rootlessctl']), 'rootlessctl as upstream made it');
  const source = join(context.projectRoot, 'build/rootlesskit/upstream/cmd/rootlesskit/main.go');
  t.regex(await readFile(source, 'utf8'), /as upstream made it/);
  const manifest = JSON.parse(await readFile(join(resolved?.directory ?? '', 'manifest.json'), 'utf8')) as {
    source: string[];
  };
  t.true(manifest.source.includes('0001-say-that-it-is-patched.patch'));
});

test.serial('a patch that does not apply ends the build and is named; nothing is installed', async (t) => {
  const context = await buildContext(t);
  await addPatch(context, '0002-of-another-version.patch');
  await t.throwsAsync(ensureArtifacts(['rootlesskit'], context), {
    code: 'artifact-unavailable',
    message:
      /patch 0002-of-another-version\.patch does not apply to github\.com\/rootless-containers\/rootlesskit\/v3/,
  });
  t.deepEqual(await filesBelow(context.store), []);
});

test.serial('automatically, without network, a component is built, and a note says why', async (t) => {
  const context = await buildContext(t, { way: 'auto', mirror: 'http://127.0.0.1:9' });
  await writeLock(context.projectRoot, [{ ...runcEntry('x'), name: 'rootlesskit', version: '3.1.0' }]);
  const resolved = await ensureArtifacts(['rootlesskit'], context);
  t.is(resolved.get('rootlesskit')?.way, 'build');
  t.regex(
    notes(context.events).join('\n'),
    /127\.0\.0\.1:9 cannot be reached .*: missing artifacts are built/,
  );
});

test.serial('source that does not compile is an error with what the compiler says', async (t) => {
  const context = await buildContext(t);
  await writeFile(
    join(context.projectRoot, 'build/kubernetes/main.go'),
    'package main\n\nfunc main() { missing() }\n',
  );
  await t.throwsAsync(ensureArtifacts(['kubernetes'], context), {
    code: 'artifact-unavailable',
    message: /undefined: missing/,
  });
  t.deepEqual(await filesBelow(context.store), []);
});

test.serial('an abort ends the compilers and leaves nothing', async (t) => {
  const abort = new AbortController();
  const reason = new Error('Ctrl-C');
  const context = await buildContext(t, { signal: abort.signal, report: () => abort.abort(reason) });
  t.is(await t.throwsAsync(ensureArtifacts(['rootlesskit'], context)), reason);
  t.deepEqual(await filesBelow(context.store), []);
});

test('an abort leaves no process, not even one that Go has started in another session', async (t) => {
  const abort = new AbortController();
  const reason = new Error('Ctrl-C');
  const home = await temporary(t);
  const go = `[ "$1" != env ] || { echo go1.26.8; exit; }
sleep 60 & setsid sh -c 'echo $$ >>$HOME/pids; exec sleep 60' &
echo $! $$ >>$HOME/pids
while [ "$(wc -l <$HOME/pids)" -lt 2 ]; do sleep 0.01; done
echo 'go: downloading example.org/module v1.0.0' >&2
wait`;
  const context = await createContext(t, {
    projectRoot: await createProject(t),
    way: 'build',
    env: { PATH: `${await toolFolder(t, { go })}:/usr/bin:/bin`, HOME: home },
    signal: abort.signal,
    report: (event) => {
      if (event.kind === 'step' && event.state === 'progress') abort.abort(reason);
    },
  });
  t.is(await t.throwsAsync(ensureArtifacts(['rootlesskit'], context)), reason);
  const pids = (await readFile(join(home, 'pids'), 'utf8')).trim().split(/\s+/).map(Number);
  t.is(pids.length, 3);
  await untilGone(pids.map((pid) => ({ pid })));
  t.deepEqual(pids.filter(isAlive), []);
});

/** A folder with a program of this name that does what the script says. */
async function toolFolder(t: ExecutionContext, scripts: Record<string, string>): Promise<string> {
  const folder = await temporary(t);
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return folder;
}

const oldGo = { go: 'echo go1.24.1' };
const newGo = { go: 'echo go1.26.8' };
const noHeaders = { ...newGo, gcc: '', 'pkg-config': 'exit 1' };
const lacking: [what: string, tools: Record<string, string>, code: string, message: RegExp, fix: RegExp][] = [
  ['Go is too old', oldGo, 'no-go', /go1\.24\.1/, /Go 1\.26/],
  ['there is no C compiler', newGo, 'not-installed', /gcc/, /apt-get install gcc .*libseccomp-dev/],
  ['there is no pkg-config', { ...newGo, gcc: '' }, 'not-installed', /pkg-config/, /apt-get install/],
  ['the headers are missing', noHeaders, 'not-installed', /libseccomp/, /libseccomp-dev/],
];
for (const [what, tools, code, message, fix] of lacking) {
  test(`before runc is built: ${what}`, async (t) => {
    const PATH = await toolFolder(t, tools);
    const { signal } = new AbortController();
    const error = await t.throwsAsync<U7sError>(
      findBuildTools(
        catalog.runc.build as BuildRecipe,
        { goCache, arch: 'amd64', env: { PATH }, signal },
        () => findGo({ PATH }),
      ),
      { code, message },
    );
    likeFixes(t, error?.fixes, [fix]);
  });
}
