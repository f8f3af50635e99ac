import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { U7sError, errnoOf } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { roleOf } from './role.js';
import type { Settings, SettingsInput } from './schema.js';
import { settingEntries } from './table.js';

/** What an earlier start has settled. It lasts as long as the instance has data. */
export type Remembered = Partial<SettingsInput> &
  Pick<Settings, 'preset' | 'runtime' | 'kubernetes' | 'artifactPaths'>;

/** The layout of cluster.json. */
type File = Pick<Remembered, 'preset' | 'runtime' | 'kubernetes' | 'artifactPaths'> & {
  settled?: Partial<SettingsInput>;
};

/** Undefined for an instance that has never been started, or has been reset. */
export async function readRemembered(file: string): Promise<Remembered | undefined> {
  try {
    const { settled, ...made } = JSON.parse(await readFile(file, 'utf8')) as File;
    return { ...settled, ...made };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw new U7sError('state-unreadable', `the settings of this instance cannot be read from ${file}`, {
      fixes: [u7s(['reset'], { text: 'begin anew' })],
      cause: error,
    });
  }
}

export async function remember(file: string, settings: Settings): Promise<void> {
  const { preset, runtime, kubernetes, artifactPaths, ...settled } = memoryOf(settings);
  const content: File = { preset, runtime, kubernetes, artifactPaths, settled };
  await writeFileAtomic(file, `${JSON.stringify(content)}\n`);
}

/** The part of the settings that later starts take into account. */
export function memoryOf(settings: Settings): Remembered {
  const role = roleOf(settings);
  const kept = settingEntries.filter(([name, { memory, boundIf }]) => {
    if (memory?.[role] === undefined || settings[name] === undefined) return false;
    return role === 'worker' || boundIf === undefined || settings[boundIf];
  });
  return Object.fromEntries(kept.map(([name]) => [name, settings[name]])) as Remembered;
}

/** The remembered settings that count for more than the requested preset: all but those that a preset decides. */
export function layerOf(remembered: Remembered | undefined): Partial<SettingsInput> {
  if (remembered === undefined) return {};
  const role = roleOf(remembered);
  const kept = settingEntries.filter(
    ([name, { memory }]) => remembered[name] !== undefined && memory?.[role] !== 'compared',
  );
  return Object.fromEntries(kept.map(([name]) => [name, remembered[name]]));
}
