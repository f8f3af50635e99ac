import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
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
  const words = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(path, { bigint: true }).catch(() => undefined);
      return `${path} ${found?.mtimeNs ?? ''} ${found?.ino ?? ''} ${found?.size ?? ''} ${found?.mode ?? ''}`;
    }),
  );
  return words.join('\n');
}

const file = (folder: string): string => join(folder, 'sources');

/** The fingerprint of what was last written to `folder`. */
export function readSeen(folder: string): Promise<string> {
  return readFile(file(folder), 'utf8').catch(() => '');
}

export function writeSeen(folder: string, seen: string): Promise<void> {
  return writeFileAtomic(file(folder), seen, { durable: false });
}
