import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appearancesOf } from '../../lib/appearance.js';
import { writeFileAtomic } from '../../lib/atomic-file.js';
import type { RegistrySources } from './sources.js';

/** Changes whenever one of the sources does. */
export async function fingerprint({ files, logins, certificates }: RegistrySources): Promise<string> {
  const paths = [...files, ...logins];
  for (const root of certificates) {
    const hosts = await readdir(root).catch(() => []);
    for (const host of hosts) {
      const folder = join(root, host);
      const within = await readdir(folder).catch(() => []);
      paths.push(...within.map((file) => join(folder, file)));
    }
  }
  return appearancesOf(paths);
}

const file = (folder: string): string => join(folder, 'sources');

/** The fingerprint of what was last written to `folder`. */
export function readSeen(folder: string): Promise<string> {
  return readFile(file(folder), 'utf8').catch(() => '');
}

export function writeSeen(folder: string, seen: string): Promise<void> {
  return writeFileAtomic(file(folder), seen, { durable: false });
}
