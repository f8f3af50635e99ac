/** Exit codes are part of the CLI's contract: 1 failure, 2 usage, 3 `status` of a stopped cluster. */
export type ExitCode = number;

/**
 * A failure whose cause and remedy are known. `message` is lower-case and names the cause; `fix` is what the
 * user should type or change, word for word.
 */
export class U7sError extends Error {
  override readonly name: string = 'U7sError';
  readonly fix: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, options: { fix?: string; cause?: unknown; exitCode?: ExitCode } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.fix = options.fix;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The command line itself is wrong. */
export class UsageError extends U7sError {
  override readonly name = 'UsageError';

  constructor(message: string, fix?: string) {
    super(message, { exitCode: 2, ...(fix === undefined ? {} : { fix }) });
  }
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name (`ENOENT`, `EADDRINUSE` …) of a system error, if it is one. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
