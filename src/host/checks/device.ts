import type { Fix } from '../../lib/fixes.js';
import { prepare } from '../check.js';
import type { DeviceName } from '../facts.js';
import type { Host } from '../host.js';

/** Why a device cannot be used, and what helps; undefined when it can be opened. */
export async function deviceFault(
  host: Host,
  path: DeviceName,
): Promise<[found: string, ...fixes: Fix[]] | undefined> {
  const fault = await host.openFault(path);
  if (fault === undefined) return undefined;
  if (fault === 'ENOENT') return ['does not exist', prepare];
  return [`cannot be opened (${fault})`, prepare, `sudo chmod 0666 ${path}`];
}
