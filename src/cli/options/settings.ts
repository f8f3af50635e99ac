import { InvalidArgumentError, Option } from 'commander';
import type { Setting, Verb } from '../../settings/entry.js';
import {
  argFlagOf,
  componentNames,
  componentServices,
  readArg,
  type ComponentName,
} from '../../settings/components.js';
import { helpOf } from '../../settings/help.js';
import { portBase, settingEntries } from '../../settings/table.js';
import { readFlag, UnreadableError } from '../../settings/words.js';
import { port } from './values.js';

/** The settings that a verb takes, as options. */
export function settingsOptions(verb: Verb): Option[] {
  const options = settingEntries.flatMap(([, setting]) =>
    setting.verbs?.includes(verb) ? optionOf(setting, verb) : [],
  );
  const base = portBase.verbs.some((each) => each === verb)
    ? [new Option(portBase.flag, `${portBase.help} ($${portBase.variable})`).argParser(port)]
    : [];
  return [...options, ...componentNames.map(argOptionOf), ...base];
}

function argOptionOf(name: ComponentName): Option {
  const help = `argument of ${componentServices[name]} (may be repeated)`;
  return new Option(argFlagOf(name), help).argParser((word, before: object | undefined) => {
    const arg = readArg(word);
    if (arg === undefined) throw new InvalidArgumentError('It must be NAME=VALUE.');
    return { ...before, ...arg };
  });
}

function optionOf(setting: Setting, verb: Verb): Option[] {
  const { flag, choices, reading, several } = setting;
  if (flag === undefined) return [];
  const option = new Option(flag, helpOf(setting, verb));
  if (choices !== undefined) return [option.choices(choices)];
  if (reading === undefined && several === undefined) return [option];
  return [option.argParser((word, before: unknown) => read(setting, word, before))];
}

function read(setting: Setting, word: string, before: unknown): unknown {
  try {
    return readFlag(setting, word, before);
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    throw new InvalidArgumentError(`It must be ${error.form}.`);
  }
}
