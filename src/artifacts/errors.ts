import { errnoOf, U7sError, type ErrorOptions } from '../lib/errors.js';

/** A failure that stops the search for other ways to get the artifact: a forged download, a full disk. */
export class FatalArtifactError extends U7sError {
  override readonly name = 'FatalArtifactError';
}

/** What a network did. `transient`: trying again may help. */
export class NetworkError extends U7sError {
  override readonly name = 'NetworkError';
  readonly transient: boolean;
  /** Milliseconds to wait before the next attempt, if the server has said so. */
  readonly afterMs: number;

  constructor(
    code: string,
    message: string,
    options: ErrorOptions & { transient: boolean; afterMs?: number | undefined },
  ) {
    super(code, message, options);
    this.transient = options.transient;
    this.afterMs = options.afterMs ?? 0;
  }
}

/** `error` itself, or our own when it means that `directory` cannot hold more bytes. */
export function orDiskFull(error: unknown, directory: string): unknown {
  const text = error instanceof Error ? error.message : '';
  if (
    !['ENOSPC', 'EDQUOT'].includes(errnoOf(error) ?? '') &&
    !/no space left on device|disk quota exceeded/i.test(text)
  ) {
    return error;
  }
  return new FatalArtifactError('disk-full', `no space left for artifacts in ${directory}`, {
    fixes: [`free space (all artifacts take about 2 GB to build): df -h ${directory}`],
    cause: error,
  });
}
