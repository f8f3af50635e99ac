import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { UsageError, errnoOf } from '../lib/errors.js';
import { nearest } from '../lib/nearest.js';
import type { SettingsInput } from './schema.js';

const suffix = '.yaml';

/** Reads config/presets/<name>.yaml; for an unknown name the error suggests a similar one. */
export async function loadPreset(directory: string, name: string): Promise<Partial<SettingsInput>> {
  try {
    return (parse(await readFile(join(directory, `${basename(name)}${suffix}`), 'utf8')) ??
      {}) as Partial<SettingsInput>;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    const known = await presetNames(directory);
    const near = nearest(name, known);
    throw new UsageError(
      'no-such-preset',
      `there is no preset ${JSON.stringify(name)}`,
      near === undefined
        ? `use one of ${known.join(', ')}`
        : `did you mean ${near}? Known: ${known.join(', ')}`,
    );
  }
}

export async function presetNames(directory: string): Promise<string[]> {
  return (await readdir(directory))
    .filter((file) => file.endsWith(suffix))
    .map((file) => file.slice(0, -suffix.length))
    .sort();
}
