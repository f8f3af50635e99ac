import { readFile, realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { machineOf } from '../artifacts/download/nature.js';
import { run } from '../lib/exec.js';
import { fileEntry, textEntry, type BundleEntry } from './entries.js';

export type HostLibrary = { file: string; path: string; licence?: string; package: string; version: string };

/** A program of the host's with all that it loads; it needs nothing of the host that it will run on. */
export type Carried = { entries: BundleEntry[]; libraries: HostLibrary[] };

/**
 * Takes a program of the host's along with its libraries and their dynamic loader, which a script of its name starts. So it
 * runs where these libraries are missing, older, or another C library's.
 */
export async function carryProgram(name: string, path: string, folder: string): Promise<Carried> {
  if ((await machineOf(path)) === undefined)
    return { entries: [await fileEntry(`${folder}/bin/${name}`, path, 0o755)], libraries: [] };
  const { stdout } = await run('ldd', [path]);
  const paths = [...stdout.matchAll(/(?:=>\s*)?(\/\S+) \(0x/g)].map(([, each = '']) => each);
  const loader = paths.find((each) => /\/ld-[^/]+$/.test(each));
  const own = await realpath(path);
  if (loader === undefined)
    return {
      entries: [await fileEntry(`${folder}/bin/${name}`, own, 0o755)],
      libraries: [await libraryOf(name, own)],
    };
  const script = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
exec "$here/../lib/${basename(loader)}" --library-path "$here/../lib" "$here/../lib/${name}" "$@"
`;
  const libraries = await Promise.all(
    paths.map(async (each) => libraryOf(basename(each), await realpath(each))),
  );
  return {
    entries: [
      textEntry(`${folder}/bin/${name}`, script, 0o755),
      await fileEntry(`${folder}/lib/${name}`, own, 0o755),
      ...(await Promise.all(
        libraries.map((each) => fileEntry(`${folder}/lib/${each.file}`, each.path, 0o755)),
      )),
    ],
    libraries: [...libraries, await libraryOf(name, own)],
  };
}

/** With what Debian's or Fedora's package manager knows of it. */
async function libraryOf(file: string, path: string): Promise<HostLibrary> {
  // Debian has moved /lib into /usr/lib, and its package manager may know either.
  for (const known of [path, path.replace(/^\/usr/, '')]) {
    const { exitCode, stdout } = await run('dpkg', ['-S', known]).catch(() => ({ exitCode: 1, stdout: '' }));
    if (exitCode !== 0) continue;
    const name = stdout.split(':')[0] ?? '';
    const { stdout: version } = await run('dpkg-query', ['-W', '-f', '${Version}\\n', name]);
    const licence = await readFile(`/usr/share/doc/${name}/copyright`, 'utf8').catch(() => undefined);
    return {
      file,
      path,
      package: name,
      version: version.split('\n')[0] ?? '',
      ...(licence === undefined ? {} : { licence }),
    };
  }
  const { exitCode, stdout } = await run('rpm', ['-qf', '--qf', '%{NAME} %{VERSION}-%{RELEASE}', path]).catch(
    () => ({
      exitCode: 1,
      stdout: '',
    }),
  );
  const [name = file, version = 'unknown'] = exitCode === 0 ? stdout.split(' ') : [];
  return { file, path, package: name, version };
}
