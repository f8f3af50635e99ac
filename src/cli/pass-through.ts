import { spawn, type StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import { U7sError, errnoOf } from '../lib/errors.js';
import { forwardSignals } from './signals.js';

export type Invocation = {
  command: string;
  args: readonly string[];
  env: Record<string, string | undefined>;
};

export type PassThroughOptions = {
  /** By default our own streams. */
  stdio?: StdioOptions;
  /** The program is in a session of its own, so that the terminal's signals reach it through us alone. */
  ownSession?: boolean;
};

/** Runs a program in our place: same terminal, its signals, its exit code (128 + signal number if one killed it). */
export async function passThrough(
  { command, args, env }: Invocation,
  { stdio = 'inherit', ownSession = false }: PassThroughOptions = {},
): Promise<number> {
  const child = spawn(command, [...args], { stdio, env });
  const stopForwarding = forwardSignals(child, ownSession);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (error) => {
        reject(
          new U7sError('not-executable', `cannot run ${command}: ${errnoOf(error) ?? error.message}`, {
            cause: error,
          }),
        );
      });
      child.once('close', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : (code ?? 1)));
    });
  } finally {
    stopForwarding();
  }
}
