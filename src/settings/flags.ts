import { argFlagOf, componentNames } from './components.js';
import { portBase, portsFrom, settingEntries } from './table.js';
import type { SettingsInput } from './schema.js';

/** What the command line says of settings, by the names of its flags: `artifact` for `--artifact <name=path>`. */
export type Flags = Record<string, unknown>;

/** `nodeName` for `--node-name <name>`, `expose` for `--no-expose`: as commander names it. */
export function attributeOf(flag: string): string {
  const [long = ''] = flag.split(' ');
  return long.replace(/^--(no-)?/, '').replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The flag of a single port counts for more than --port-base. */
export function fromFlags(flags: Flags): Partial<SettingsInput> {
  const base = flags[attributeOf(portBase.flag)];
  const named: [string, unknown][] = settingEntries.flatMap(([name, { flag }]): [string, unknown][] => {
    const value = flag === undefined ? undefined : flags[attributeOf(flag)];
    // Without --no-expose the description decides.
    const isGiven = value !== undefined && !(flag?.startsWith('--no-') && value === true);
    return isGiven ? [[name, value]] : [];
  });
  const args = componentNames.flatMap((name) => {
    const given = flags[attributeOf(argFlagOf(name))];
    return given === undefined ? [] : [[name, { args: given }] as const];
  });
  if (args.length > 0) named.push(['components', Object.fromEntries(args)]);
  return { ...(typeof base === 'number' ? portsFrom(base) : {}), ...Object.fromEntries(named) };
}
