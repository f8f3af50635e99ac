import type { Fix } from './fixes.js';

/** Exit codes are part of the CLI's contract: 1 failure, 2 usage, 3 `status` of an instance that is stopped. */
export type ExitCode = number;

export type ErrorOptions = { fixes?: readonly Fix[] | undefined; cause?: unknown; exitCode?: ExitCode };

/**
 * A failure whose cause is known. `code` names its kind for programs and tests and stays the same when the words change:
 * lower case with dashes, like `port-taken`. `message` is lower-case and names the cause; `fixes` are what the user can do,
 * the best one first.
 */
export class U7sError extends Error {
  override readonly name: string = 'U7sError';
  readonly code: string;
  readonly fixes: readonly Fix[];
  readonly exitCode: ExitCode;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fixes = options.fixes ?? [];
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The command line, or what it names, is wrong. */
export class UsageError extends U7sError {
  override readonly name = 'UsageError';

  constructor(code: string, message: string, ...fixes: Fix[]) {
    super(code, message, { exitCode: 2, fixes });
  }
}

/** The fixes of anything that was thrown, as far as they are known. */
export function fixesOf(error: unknown): readonly Fix[] {
  return error instanceof U7sError ? error.fixes : [];
}

/** The code of a failure whose cause is known. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof U7sError ? error.code : undefined;
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name (`ENOENT`, `EADDRINUSE` …) of a system error, if it is one. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof U7sError || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
