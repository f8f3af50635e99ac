import type { Command, CommanderError } from 'commander';
import { defaultCluster } from '../cluster/paths.js';
import { U7sError, UsageError, errnoOf, messageOf } from '../lib/errors.js';
import { Interrupted } from './interrupted.js';

/** What helps against errors of the kernel's that can come from anywhere, by errno. */
const remedies: Readonly<Record<string, string>> = {
  EMFILE: 'allow more open files: ulimit -n 4096',
  ENFILE: 'allow more open files on this host: sysctl -w fs.file-max=1000000',
  ENOSPC: 'free space on that disk',
  EDQUOT: "free space: the user's quota on that disk is used up",
};

/**
 * The lines that tell a person what went wrong and what to do; the causes and an unforeseen error's stack if `verbose`.
 * Commands are completed to be about `cluster`.
 */
export function formatError(error: unknown, verbose: boolean, cluster = defaultCluster): string {
  const lines = [`error: ${messageOf(error)}`];
  const fix = (error instanceof U7sError ? error.fix : undefined) ?? remedyOf(error);
  const foreseen = error instanceof U7sError || fix !== undefined;
  if (fix !== undefined) lines.push(`  fix: ${about(cluster, fix).replaceAll('\n', '\n       ')}`);
  if (!foreseen && verbose && error instanceof Error && error.stack !== undefined) {
    lines.push(...error.stack.split('\n').slice(1));
  } else if (!foreseen) {
    lines.push('  this was not foreseen; --verbose shows where it happened');
  }
  if (verbose) lines.push(...causesOf(error).map((cause) => `  cause: ${messageOf(cause)}`));
  return `${lines.join('\n')}\n`;
}

function remedyOf(error: unknown): string | undefined {
  const errno = [error, ...causesOf(error)]
    .map(errnoOf)
    .find((each) => each !== undefined && each in remedies);
  return remedies[errno ?? ''];
}

function about(cluster: string, fix: string): string {
  if (cluster === defaultCluster) return fix;
  return fix.replace(
    /(\.\/(?:run|kubectl|cleanup)\.sh|\bu7s(?= (?:up|down|status|logs|reset|cleanup|kubectl|docker)\b))(?! --cluster)/g,
    `$1 --cluster ${cluster}`,
  );
}

/** commander's complaint in our words; `undefined` when it only wants to end after `--help` or `--version`. */
export function usageErrorOf(error: CommanderError, command: Command): UsageError | undefined {
  if (error.exitCode === 0) return undefined;
  const help = `see ${commandPath(command)} --help`;
  if (error.code === 'commander.help') return new UsageError(`${commandPath(command)} needs a command`, help);
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  return new UsageError(
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

function commandPath(command: Command): string {
  return command.parent ? `${commandPath(command.parent)} ${command.name()}` : command.name();
}
