import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { U7sError } from '../lib/errors.js';
import type { Fix } from '../lib/fixes.js';
import { belongsToUser } from './as-root/belongs.js';
import type { Cli } from './command.js';
import { errorJson, formatError, isInterruption, usageErrorOf } from './errors.js';
import { globalOptions } from './globals.js';
import type { GlobalOptions } from './globals.js';
import type { Io } from './io.js';
import { createProgram } from './program.js';
import { projectRoot, runProcess } from './process.js';
import { fixText } from './typist.js';

/** The program `u7s`, from this process's arguments to its exit code. */
export function main(): Promise<void> {
  return runProcess(run);
}

/** Runs one command line and returns its exit code; never throws for what a user did or met. */
export async function run(argv: readonly string[], io: Io, signal: AbortSignal): Promise<number> {
  const cli: Cli = { io, signal, projectRoot, exitCode: 0 };
  const program = createProgram(cli);
  program.hook('preAction', async (_, command) => {
    const initHost = command.opts<{ initHost?: boolean }>().initHost === true;
    if (initHost) {
      const [preset] = command.args;
      const words = [...globalFlags(globalOptions(cli, command)), ...(preset ? ['--preset', preset] : [])];
      const exitCode = await run(['init-host', ...words], io, signal);
      if (exitCode !== 0) throw new Delegated(exitCode);
    }
    if (!belongsToUser(command, io.env)) return;
    const { runAsUser } = await import('./as-root/as-user.js');
    const words = initHost ? argv.filter((word) => word !== '--init-host') : argv;
    throw new Delegated(await runAsUser(cli, words, command));
  });
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' });
    return cli.exitCode;
  } catch (thrown) {
    if (thrown instanceof Delegated) return thrown.exitCode;
    if (isInterruption(thrown, signal)) return signal.reason instanceof U7sError ? signal.reason.exitCode : 1;
    const error =
      thrown instanceof CommanderError ? usageErrorOf(thrown, namedCommand(program, argv)) : thrown;
    if (error === undefined) return 0;
    const textOf = (fix: Fix): string => fixText(cli, fix);
    io.stderr.write(
      wantsJson(program) ? errorJson(error, textOf) : formatError(error, saysVerbose(program), textOf),
    );
    return error instanceof U7sError ? error.exitCode : 1;
  }
}

/** The options that `up --init-host` hands on to `init-host`. */
function globalFlags({ verbose, quiet, progress }: GlobalOptions): string[] {
  return [...(verbose ? ['--verbose'] : []), ...(quiet ? ['--quiet'] : []), '--progress', progress];
}

/** Ends commander's run when another process has done the command's work. */
class Delegated extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super();
    this.exitCode = exitCode;
  }
}

function namedCommand(program: Command, argv: readonly string[]): Command {
  return argv.reduce(
    (command, word) => command.commands.find((each) => each.name() === word) ?? command,
    program,
  );
}

/** Whether the command was given `-o json`, as far as the command line could be read. */
function wantsJson(command: Command): boolean {
  const offers = command.options.some(
    ({ long, argChoices }) => long === '--output' && argChoices?.includes('json'),
  );
  if (offers && command.opts<{ output?: string }>().output === 'json') return true;
  return command.commands.some(wantsJson);
}

function saysVerbose(command: Command): boolean {
  return command.opts<{ verbose?: boolean }>().verbose === true || command.commands.some(saysVerbose);
}
