import { U7sError } from '../lib/errors.js';

/**
 * The API server refused a request. The code is `api-` and the reason in lower case with dashes, `api-not-found`, or
 * `api-refused` where the answer names no reason.
 */
export class KubeError extends U7sError {
  override readonly name = 'KubeError';
  /** HTTP status. */
  readonly status: number;
  /** Machine-readable cause as in `metav1.Status`: `NotFound`, `Conflict`, `Forbidden`, `Expired` … */
  readonly reason: string | undefined;

  constructor(status: number, message: string, reason?: string) {
    super(codeOfReason(reason), message);
    this.status = status;
    this.reason = reason;
  }
}

/** For `catch`: what is not there answers with undefined, every other fault is thrown. */
export function unlessMissing(error: unknown): undefined {
  if (!(error instanceof KubeError) || error.status !== 404) throw error;
}

function codeOfReason(reason = 'Refused'): string {
  return `api${reason.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** From the body of an error answer, which is a `metav1.Status` unless it came from something other than the API server. */
export function kubeError(request: string, status: number, body: string): KubeError {
  const { message, reason } = parseStatus(body);
  const said = message ?? body.trim().split('\n')[0]?.slice(0, 200);
  return new KubeError(status, `${request}: ${said ? said : `status ${status}`}`, reason);
}

function parseStatus(body: string): { message?: string; reason?: string } {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null) return {};
    return {
      ...('message' in parsed && typeof parsed.message === 'string' ? { message: parsed.message } : {}),
      ...('reason' in parsed && typeof parsed.reason === 'string' ? { reason: parsed.reason } : {}),
    };
  } catch {
    return {};
  }
}
