import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version of this installation. */
export function ownVersion(projectRoot: string): string {
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
