import { U7sError } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';

/** What a verb says that needs the instance to run. */
export function notRunning(name: string): U7sError {
  return new U7sError('not-running', `cluster ${name} is not running`, {
    fixes: [u7s(['up', '-d'], { text: 'start it' })],
  });
}
