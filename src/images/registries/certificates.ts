import { access, constants, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../../lib/errors.js';

/** What a folder `certs.d/HOST` has: what runtimes say in their own words, or certificates as docker has them. */
export type HostFolder = {
  host: string;
  path: string;
  hasHostsToml: boolean;
  /** Of authorities. */
  ca: string[];
  /** Of clients, with their keys. */
  clients: { cert: string; key: string }[];
};

/** The folders of the first of `roots` that has the registry, and those of `roots` that cannot be read. */
export async function scanCertificates(
  roots: readonly string[],
): Promise<{ folders: HostFolder[]; unreadable: string[] }> {
  const found = new Map<string, HostFolder>();
  const unreadable: string[] = [];
  for (const root of roots) {
    const hosts = await readdir(root).catch((error: unknown) => {
      if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) unreadable.push(root);
      return [];
    });
    for (const name of hosts) {
      const path = join(root, name);
      const files = await readdir(path).catch((error: unknown) => {
        if (errnoOf(error) === 'EACCES') unreadable.push(path);
        return undefined;
      });
      // containerd writes `host_5000_` where a colon is not possible.
      const host = name.replace(/_(\d+)_$/, ':$1');
      if (files !== undefined && !found.has(host)) found.set(host, hostFolder(host, path, files));
    }
  }
  const folders = [...found.values()];
  for (const { ca, clients } of folders) {
    for (const file of [...ca, ...clients.flatMap(({ cert, key }) => [cert, key])]) {
      if (!(await isReadable(file))) unreadable.push(file);
    }
  }
  return { folders, unreadable };
}

function hostFolder(host: string, path: string, files: readonly string[]): HostFolder {
  const ending = (suffix: string) => files.filter((file) => file.endsWith(suffix)).sort();
  return {
    host,
    path,
    hasHostsToml: files.includes('hosts.toml'),
    ca: ending('.crt').map((file) => join(path, file)),
    clients: ending('.cert')
      .map((file) => ({ cert: join(path, file), key: join(path, file.replace(/\.cert$/, '.key')) }))
      .filter(({ key }) => files.includes(key.slice(path.length + 1))),
  };
}

export function isReadable(file: string): Promise<boolean> {
  return access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}
