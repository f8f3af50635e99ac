import { withoutPassword } from '../lib/url-credentials.js';
import { writtenValue, type Settings } from './schema.js';
import { settingEntries } from './table.js';

/** Settings whose text may hold a password. */
const urls = new Set<string>(['httpProxy', 'httpsProxy', 'allProxy']);

/** Settings as a description has them, without passwords. */
export function shownSettings(settings: Settings): Record<string, unknown> {
  const shown = settingEntries.flatMap(([name]) => {
    const value = writtenValue(name, settings);
    if (value === undefined) return [];
    return [[name, urls.has(name) && typeof value === 'string' ? withoutPassword(value) : value]];
  });
  return Object.fromEntries(shown) as Record<string, unknown>;
}
