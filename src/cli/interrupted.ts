import { constants } from 'node:os';
import { U7sError } from '../lib/errors.js';

/** The reason of `Cli.signal`: somebody asked the command to end. Its exit code is the shell's: 128 + the signal's number. */
export class Interrupted extends U7sError {
  constructor(signal: NodeJS.Signals) {
    super('interrupted', `interrupted by ${signal}`, { exitCode: 128 + constants.signals[signal] });
  }
}
