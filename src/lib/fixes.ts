import { shellLine } from './shell.js';
import { isString, listOf, objectOf, oneOf, optional } from './shape.js';

/**
 * What a person can do about a fault: words, or commands of ours. Commands are kept as data, so that they are completed
 * where they are shown: with the program as that person types it, and with `--cluster` where it is needed.
 */
export type Fix = string | CommandFix;

export type CommandFix = {
  /** What the commands are for, shown before them: `stop it`. */
  text?: string;
  /** Arguments of the program, one list a command; to be typed one after the other. */
  commands: readonly (readonly string[])[];
  /** `u7s` if it is not given. */
  program?: 'rootlessctl';
  /** The host to type them on, if it is not this one. There they are about that host's own instance. */
  on?: 'control-plane' | 'other-node';
  /** What the commands are about, if it is not the instance: then they never carry `--cluster`. */
  about?: 'host';
};

/** A fix that is one command: `u7s(['logs', 'kubelet'], { text: 'read its log' })`. */
export function u7s(args: readonly string[], options: Omit<CommandFix, 'commands'> = {}): CommandFix {
  return { ...options, commands: [args] };
}

/** How a person types a command of ours: program and arguments, quoted for a shell. */
export type Typist = (program: 'u7s' | 'rootlessctl', args: readonly string[]) => string;

/** As it is typed where u7s is on the PATH. */
export const plainTypist: Typist = (program, args) => shellLine([program, ...args]);

const places = { 'control-plane': 'on the control plane', 'other-node': 'on the other host' } as const;

/** The words of a fix for a person on this host. `instance` is what `--cluster` names, undefined for the default one. */
export function formatFix(fix: Fix, instance: string | undefined, typist: Typist = plainTypist): string {
  if (typeof fix === 'string') return fix;
  const { text, commands, program = 'u7s', on, about } = fix;
  const named = about === 'host' ? undefined : instance;
  const line = commands
    .map((args) =>
      on === undefined ? typist(program, aboutInstance(named, args)) : plainTypist(program, args),
    )
    .join(' && ');
  const where = on === undefined ? undefined : places[on];
  return [...(where === undefined ? [] : [where]), ...(text === undefined ? [] : [text]), line].join(': ');
}

/** A command that names an instance already stays as it is. */
export function aboutInstance(instance: string | undefined, args: readonly string[]): readonly string[] {
  return instance === undefined || args.includes('--cluster') ? args : ['--cluster', instance, ...args];
}

/** A fix that another process has sent. */
export const isFix = (value: unknown): value is Fix => isString(value) || isCommandFix(value);

const isCommandFix = objectOf<CommandFix>({
  text: optional(isString),
  commands: listOf(listOf(isString)),
  program: optional(oneOf('rootlessctl')),
  on: optional(oneOf('control-plane', 'other-node')),
  about: optional(oneOf('host')),
});

/** Each fix once, however many faults it mends. */
export function distinctFixes(fixes: readonly Fix[]): Fix[] {
  return [...new Map(fixes.map((fix) => [JSON.stringify(fix), fix])).values()];
}
