import * as z from 'zod';
import { schemaOf, type Settings } from './schema.js';
import { settingEntries, type SettingName, type table } from './table.js';

type SharedName = {
  [Name in SettingName]: (typeof table)[Name] extends { shared: true } ? Name : never;
}[SettingName];

/** What all nodes of a cluster must have alike. */
export type SharedSettings = Pick<Settings, SharedName>;

const shared = settingEntries.filter(([, entry]) => entry.shared);

const sharedSchema = z.object(Object.fromEntries(shared.map(([name, entry]) => [name, schemaOf(entry)])));

/** What a control plane gives to nodes that join. */
export function sharedSettings(settings: Settings): SharedSettings {
  return Object.fromEntries(shared.map(([name]) => [name, settings[name]])) as SharedSettings;
}

/** Checks what a control plane gave; settings that this version does not know are left out. */
export function parseShared(given: unknown): SharedSettings {
  return sharedSchema.parse(given) as SharedSettings;
}
