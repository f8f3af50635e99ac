import type { Reading, Setting } from './entry.js';

/** What a setting says about how it is written. */
export type Written = Pick<Setting, 'reading' | 'choices' | 'several'>;

/** Thrown for text that a setting cannot be read from. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
  readonly form: string;

  constructor({ kind, form }: Pick<Reading, 'kind' | 'form'>) {
    super(`not ${kind}`);
    this.form = form;
  }
}

/** The value of one word. */
export function readWord({ reading, choices }: Written, word: string): unknown {
  if (choices !== undefined && !choices.includes(word)) {
    const form = `one of ${choices.join(', ')}`;
    throw new UnreadableError({ kind: form, form });
  }
  if (reading === undefined) return word;
  const value = reading.read(word);
  if (value === undefined) throw new UnreadableError(reading);
  return value;
}

/** The value of a flag, added to `before`, the value of the same flag further left. */
export function readFlag(setting: Written, word: string, before: unknown): unknown {
  if (setting.several?.as === 'list') {
    const words = word.split(setting.several.separator);
    return [before ?? [], ...words.map((each) => readWord(setting, each))].flat();
  }
  const value = readWord(setting, word);
  switch (setting.several?.as) {
    case 'map':
      return { ...(before as object | undefined), ...(value as object) };
    default:
      return value;
  }
}

/** The value of a variable, which holds all values at once. */
export function readVariable(setting: Written, text: string): unknown {
  if (setting.several === undefined) return readWord(setting, text);
  const words = text.split(setting.several.separator).filter((word) => word !== '');
  return words.reduce<unknown>((before, word) => readFlag(setting, word, before), undefined);
}
