import { execFile } from 'node:child_process';
import { messageOf, U7sError } from './errors.js';

export type RunOptions = {
  cwd?: string;
  /** The whole environment of the child; nothing else is inherited. */
  env?: Record<string, string | undefined>;
  input?: string;
  signal?: AbortSignal;
  /** Milliseconds after which the child is killed. */
  timeout?: number;
};

export type RunResult = { exitCode: number; stdout: string; stderr: string };

/** More than any program prints whose output we read. */
const maxBuffer = 64 * 2 ** 20;

/**
 * Runs a program to its end and captures what it prints, without the final newline. Does not throw for a non-zero exit;
 * throws when the program cannot be started or is killed. Not execa, since loading it takes longer than most of the programs
 * that a start runs.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { input, env, ...rest } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { ...rest, ...(env === undefined ? {} : { env: definedOnly(env) }), maxBuffer },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : error.code;
        if (typeof exitCode === 'number') {
          return resolve({ exitCode, stdout: withoutNewline(stdout), stderr: withoutNewline(stderr) });
        }
        if (options.signal?.aborted) return reject(options.signal.reason as Error);
        const reason = error?.signal ? `it was killed by ${error.signal}` : messageOf(error);
        reject(new U7sError('not-executable', `cannot run ${command}: ${reason}`, { cause: error }));
      },
    );
    child.stdin?.on('error', () => undefined); // a program need not read what it is given
    child.stdin?.end(input);
  });
}

/** Like `run`, but a non-zero exit is an error that quotes the end of the program's output. Returns its stdout. */
export async function runOk(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await run(command, args, options);
  if (exitCode === 0) return stdout;
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-5).join('\n');
  throw new U7sError(
    'program-failed',
    `${command} ${args[0] ?? ''} exited with ${exitCode}${said ? `: ${said}` : ''}`,
  );
}

function definedOnly(env: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function withoutNewline(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}
