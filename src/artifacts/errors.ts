import { errnoOf, U7sError } from '../lib/errors.js';

/** A failure that no other way of getting the artifact may hide: a forged download, a full disk. */
export class FatalArtifactError extends U7sError {
  override readonly name = 'FatalArtifactError';
}

/** `error`, or what to tell the user when it says that `directory` cannot take more bytes. */
export function orDiskFull(error: unknown, directory: string): unknown {
  const text = error instanceof Error ? error.message : '';
  if (
    !['ENOSPC', 'EDQUOT'].includes(errnoOf(error) ?? '') &&
    !/no space left on device|disk quota exceeded/i.test(text)
  ) {
    return error;
  }
  return new FatalArtifactError('disk-full', `no space left for artifacts in ${directory}`, {
    fixes: [`free some space (all artifacts need about 2 GB while they are built): df -h ${directory}`],
    cause: error,
  });
}
