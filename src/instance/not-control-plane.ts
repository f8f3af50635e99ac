import { U7sError } from '../lib/errors.js';

/** What a verb says that only the host of the control plane can do; this node belongs to the one that is named. */
export function notControlPlane(controlPlane: string, what = 'the command'): U7sError {
  return new U7sError('not-control-plane', `this node works for the control plane ${controlPlane}`, {
    fixes: [`run ${what} on the host of that control plane`],
  });
}
