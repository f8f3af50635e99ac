import { isDeepStrictEqual } from 'node:util';
import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '../lib/atomic-file.js';
import { U7sError, UsageError, errnoOf } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';
import { roleOf } from './role.js';
import { defaultOf, writtenValue, type Settings, type SettingsInput } from './schema.js';
import type { Setting } from './entry.js';
import { settingEntries, table, type SettingName } from './table.js';

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
  await write(file, memoryOf(settings));
}

/** Changes what later starts take, of an instance that has been started before. */
export async function amend(
  file: string,
  change: (before: Remembered) => Partial<SettingsInput>,
): Promise<void> {
  const before = await readRemembered(file);
  if (before !== undefined) await write(file, { ...before, ...change(before) } as Remembered);
}

async function write(file: string, remembered: Remembered): Promise<void> {
  const { preset, runtime, kubernetes, artifactPaths, ...settled } = remembered;
  const content: File = { preset, runtime, kubernetes, artifactPaths, settled };
  await writeFileAtomic(file, `${JSON.stringify(content)}\n`);
}

/**
 * Keeps what a start that failed was asked for from failing all later ones: they find what was remembered before it, or, if it
 * was the first, everything but what it had components do.
 */
export async function forgetTried(
  file: string,
  before: Remembered | undefined,
  settings: Settings,
): Promise<void> {
  if (before !== undefined) return write(file, before);
  await remember(file, { ...settings, components: {}, featureGates: {}, runtimeConfig: {} });
}

/** Later starts take the defaults of these settings, as far as data does not depend on them. */
export async function forget(file: string, names: readonly SettingName[]): Promise<void> {
  const before = await readRemembered(file);
  if (before === undefined) return;
  const role = roleOf(before);
  for (const name of names) {
    const kind = table[name] satisfies Setting as Setting;
    if (['fixed', 'compared'].includes(kind.memory?.[role] ?? '')) {
      throw new UsageError(
        'setting-fixed',
        `the data of this instance depends on ${name}`,
        'leave it as it is',
      );
    }
  }
  const left = Object.entries(before).filter(([name]) => !names.some((each) => each === name));
  await write(file, { artifactPaths: {}, ...Object.fromEntries(left) } as Remembered);
}

/** The part of the settings that later starts take into account. */
export function memoryOf(settings: Settings): Remembered {
  const role = roleOf(settings);
  const kept = settingEntries.filter(([name, { memory, boundIf }]) => {
    const kind = memory?.[role];
    if (kind === undefined || settings[name] === undefined) return false;
    const bound = role === 'worker' || boundIf === undefined || settings[boundIf];
    return (bound && kind !== 'asked') || !isDeepStrictEqual(settings[name], defaultOf(name, settings));
  });
  return Object.fromEntries(kept.map(([name]) => [name, writtenValue(name, settings)])) as Remembered;
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
