import type { Command, CommanderError } from 'commander';
import { U7sError, UsageError, codeOf, errnoOf, messageOf } from '../lib/errors.js';
import { u7s, type Fix } from '../lib/fixes.js';
import { visible } from '../lib/visible.js';
import { Interrupted } from './interrupted.js';

/** What helps against errors of the kernel's that can come from anywhere, by errno. */
const remedies: Readonly<Record<string, string>> = {
  EMFILE: 'allow more open files: ulimit -n 4096',
  ENFILE: 'allow more open files on this host: sysctl -w fs.file-max=1000000',
  ENOSPC: 'free space on that disk',
  EDQUOT: "free space: the user's quota on that disk is used up",
};

/** What went wrong and what to do, for a person; with the causes and an unforeseen error's stack if `verbose`. */
export function formatError(error: unknown, verbose: boolean, textOf: (fix: Fix) => string): string {
  const fixes = error instanceof U7sError && error.fixes.length > 0 ? error.fixes : remediesOf(error);
  const foreseen = error instanceof U7sError || fixes.length > 0;
  const code = codeOf(error) ?? 'unforeseen';
  const lines = [`error[${code}]: ${messageOf(error)}`];
  for (const fix of fixes) lines.push(`  fix: ${textOf(fix).replaceAll('\n', '\n       ')}`);
  if (!foreseen && verbose && error instanceof Error && error.stack !== undefined) {
    lines.push(...error.stack.split('\n').slice(1));
  } else if (!foreseen) {
    lines.push('  this was not foreseen; --verbose shows where it happened');
  }
  if (verbose) lines.push(...causesOf(error).map((cause) => `  cause: ${messageOf(cause)}`));
  return visible(`${lines.join('\n')}\n`);
}

/** The same for programs. */
export function errorJson(error: unknown, textOf: (fix: Fix) => string): string {
  const fixes = error instanceof U7sError && error.fixes.length > 0 ? error.fixes : remediesOf(error);
  const code = codeOf(error) ?? 'unforeseen';
  const described = {
    code,
    message: messageOf(error),
    fixes: fixes.map((fix) => ({ fix, text: textOf(fix) })),
  };
  return `${JSON.stringify({ error: described }, null, 2)}\n`;
}

function remediesOf(error: unknown): readonly Fix[] {
  const errno = [error, ...causesOf(error)]
    .map(errnoOf)
    .find((each) => each !== undefined && each in remedies);
  const remedy = remedies[errno ?? ''];
  return remedy === undefined ? [] : [remedy];
}

/** commander's complaint in our words; `undefined` when it only wants to end after `--help` or `--version`. */
export function usageErrorOf(error: CommanderError, command: Command): UsageError | undefined {
  if (error.exitCode === 0) return undefined;
  const help = u7s([...pathOf(command), '--help'], { about: 'host', text: 'read the help' });
  if (error.code === 'commander.help')
    return new UsageError('usage', `${['u7s', ...pathOf(command)].join(' ')} needs a command`, help);
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  return new UsageError(
    'usage',
    message,
    suggestion === undefined ? help : suggestion.replace(/^\((D)(.*)\)$/, 'd$2'),
  );
}

/** Whether the error is nothing but the answer to an interruption. */
export function isInterruption(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  return [error, ...causesOf(error)].some(
    (each) =>
      each === signal.reason ||
      each instanceof Interrupted ||
      (each instanceof Error && each.name === 'AbortError'),
  );
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = [];
  for (let at = error; at instanceof Error && at.cause !== undefined && causes.length < 10; at = at.cause) {
    causes.push(at.cause);
  }
  return causes;
}

/** The words that name a command, after that of the program. */
function pathOf(command: Command): string[] {
  return command.parent ? [...pathOf(command.parent), command.name()] : [];
}
