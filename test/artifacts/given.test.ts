import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { GivenPaths } from '#src/artifacts/artifact.js';
import { ensureArtifacts } from '#src/artifacts/resolve.js';
import type { Event } from '#src/lib/events.js';
import { temporary } from '../temporary.js';

/** A program that tells this of itself. */
async function program(folder: string, name: string, says: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(folder, { recursive: true });
  await writeFile(path, `#!/bin/sh\necho '${says}'\n`);
  await chmod(path, 0o755);
  return path;
}

async function given(paths: GivenPaths, store: string, events: Event[] = [], env = {}) {
  return ensureArtifacts(Object.keys(paths) as (keyof GivenPaths)[], {
    store,
    goCache: store,
    projectRoot: '.',
    arch: 'amd64',
    way: 'auto',
    given: paths,
    env: { PATH: '/usr/bin:/bin', ...env },
    report: (event) => events.push(event),
    signal: new AbortController().signal,
  });
}

test('an artifact that is given as a program or as a folder is used where it lies', async (t) => {
  const folder = await temporary(t);
  const runc = await program(folder, 'my-runc', 'runc version 1.4.9');
  const etcd = await program(join(folder, 'bin'), 'etcd', 'etcd Version: 3.6.14');
  const etcdctl = await program(join(folder, 'bin'), 'etcdctl', 'etcdctl version: 3.6.14');
  const events: Event[] = [];
  const found = await given({ runc, etcd: folder }, folder, events);
  t.like(found.get('runc'), { way: 'given', version: '1.4.9', binaries: { runc } });
  t.like(found.get('etcd'), { way: 'given', version: '3.6.14', binaries: { etcd, etcdctl } });
  t.deepEqual(events, []);
});

test('a program that leaves folders where the runtime directory is told leaves none to the user', async (t) => {
  const folder = await temporary(t);
  const runtimeDir = join(folder, 'run');
  await mkdir(runtimeDir);
  const runc = join(folder, 'runc');
  await writeFile(runc, '#!/bin/sh\nmkdir "$XDG_RUNTIME_DIR/containers" && echo runc version 1.4.9\n', {
    mode: 0o755,
  });
  const found = await given({ runc }, folder, [], { XDG_RUNTIME_DIR: runtimeDir });
  t.is(found.get('runc')?.version, '1.4.9');
  t.deepEqual(await readdir(runtimeDir), []);
});

test('one of another release is warned of', async (t) => {
  const folder = await temporary(t);
  const events: Event[] = [];
  await given({ runc: await program(folder, 'runc', 'runc version 1.1.0') }, folder, events);
  t.deepEqual(events, [
    {
      kind: 'warning',
      code: 'artifact-untested',
      text: `runc of ${folder}/runc is 1.1.0; this release is tested with 1.4.3`,
    },
  ]);
});

test('what is missing, incomplete or does not report its version is refused', async (t) => {
  const folder = await temporary(t);
  const fails = (paths: GivenPaths, message: RegExp) =>
    t.throwsAsync(given(paths, folder), { code: 'artifact-invalid', message });
  await fails({ runc: join(folder, 'nothing') }, /there is nothing at .*nothing, given as runc/);
  await program(folder, 'etcd', 'etcd Version: 3.6.14');
  await fails({ etcd: folder }, /no etcdctl in .*, given as etcd, nor on PATH/);
  await fails(
    { runc: await program(folder, 'runc', 'hello') },
    /runc, given as runc, does not report its version/,
  );
});
