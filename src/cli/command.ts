import type { Command } from 'commander';
import type { Io } from './io.js';

/** What every command is given. */
export type Cli = {
  io: Io;
  /** Aborted by the first Ctrl-C or SIGTERM; its reason is an `Interrupted`. */
  signal: AbortSignal;
  /** Root of this installation: the folder that holds bin/, config/, build/, patches/ and dist/. */
  projectRoot: string;
  /** Set by a command that ends with something other than success without being an error. */
  exitCode: number;
  /** Which cluster the command is about, once that is known. */
  cluster?: string;
};

/**
 * One verb, one file in commands/: adds itself to `program`. Everything heavy is imported inside its action, so that
 * `u7s --help` and `u7s kubectl` stay quick.
 */
export type DefineCommand = (program: Command, cli: Cli) => void;
