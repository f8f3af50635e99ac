import { fileURLToPath } from 'node:url';
import type { Io } from './io.js';
import { abortOnSignals } from './signals.js';

/** Root of this installation. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Runs a program with this process's arguments, streams and signals, and ends the process with its exit code. */
export async function runProcess(
  run: (argv: readonly string[], io: Io, signal: AbortSignal) => Promise<number>,
): Promise<void> {
  const { argv, stdin, stdout, stderr, env } = process;
  const signal = abortOnSignals();
  process.exit(await run(argv.slice(2), { stdin, stdout, stderr, env, cwd: process.cwd() }, signal));
}
