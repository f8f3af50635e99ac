import type { Setting, Verb } from './entry.js';

/** The default as a sentence has it; undefined where there is none. */
export function defaultText({ default: value, defaultWords }: Setting, verb?: Verb): string | undefined {
  if (typeof defaultWords === 'string') return defaultWords;
  const words = verb === undefined ? undefined : defaultWords?.[verb];
  if (words !== undefined) return words;
  if (value === undefined || typeof value === 'function') return undefined;
  return ['string', 'number', 'boolean'].includes(typeof value)
    ? `${value as string | number | boolean}`
    : undefined;
}

/** What `--help` says of a flag. */
export function helpOf(setting: Setting, verb: Verb): string {
  const { flagHelp, several, variables } = setting;
  if (flagHelp !== undefined) return flagHelp;
  const fallback = defaultText(setting, verb);
  const notes = [
    ...(several === undefined ? [] : ['may be repeated']),
    ...(fallback === undefined ? [] : [`default: ${fallback}`]),
    ...(variables === undefined ? [] : [`$${variables[0]}`]),
  ];
  return notes.length === 0 ? setting.help : `${setting.help} (${notes.join('; ')})`;
}
