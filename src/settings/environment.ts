import { UsageError } from '../lib/errors.js';
import { portReading } from './readings.js';
import type { SettingsInput } from './schema.js';
import { portBase, portsFrom, settingEntries } from './table.js';
import { readVariable, UnreadableError, type Written } from './words.js';

export type Environment = Record<string, string | undefined>;

/** The settings in the environment. Of the variables of a setting, the first that is not empty counts. */
export function fromEnvironment(env: Environment): Partial<SettingsInput> {
  const base = env[portBase.variable];
  const named = settingEntries.flatMap(([name, setting]) => {
    const variable = setting.variables?.find((each) => env[each]);
    if (variable === undefined) return [];
    const value = valueOf(setting, variable, env[variable] ?? '');
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...(base ? portsFrom(valueOf({ reading: portReading }, portBase.variable, base) as number) : {}),
    ...Object.fromEntries(named),
  };
}

function valueOf(setting: Written, variable: string, text: string): unknown {
  try {
    return readVariable(setting, text);
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error;
    throw new UsageError(
      'setting-invalid',
      `${variable}=${text} is ${error.message}`,
      `set it to ${error.form}`,
    );
  }
}
