import { UsageError } from '../lib/errors.js';
import { nearest } from '../lib/nearest.js';
import { defaultPreset } from '../settings/default-preset.js';
import { forget, readRemembered } from '../settings/remembered.js';
import { resolveSettings } from '../settings/resolve.js';
import { refuseChange } from '../settings/fixed.js';
import type { Settings } from '../settings/schema.js';
import { table, type SettingName } from '../settings/table.js';
import type { InstanceContext } from './context.js';

type Where = Pick<InstanceContext, 'name' | 'paths' | 'projectRoot' | 'env'>;

/** What the next start would use: with the description of `config`, or without one. */
export async function nextSettings(context: Where, config?: string, preset?: string): Promise<Settings> {
  const { name, paths, projectRoot, env } = context;
  const before = await readRemembered(paths.remembered);
  const settings = await resolveSettings({
    instance: name,
    preset: preset ?? before?.preset ?? defaultPreset,
    projectRoot,
    env,
    flags: config === undefined ? {} : { config },
    remembered: before,
  });
  refuseChange(settings, before);
  return settings;
}

/** Lets the next start take the defaults of settings that were requested once. */
export async function forgetSettings({ paths }: Where, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (!Object.hasOwn(table, name)) {
      const near = nearest(name, Object.keys(table));
      throw new UsageError(
        'no-such-setting',
        `there is no setting ${name}`,
        near === undefined ? 'see docs/settings.md' : `did you mean ${near}?`,
      );
    }
  }
  await forget(paths.remembered, names as SettingName[]);
}
