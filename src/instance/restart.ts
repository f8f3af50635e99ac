import { restartInstance } from '../launcher/client.js';
import type { InstanceContext } from './context.js';

/** Stops one service, or without a name the whole node, and starts it again; returns when it is ready. Data stays. */
export async function restart({ paths, signal }: InstanceContext, service?: string): Promise<void> {
  await restartInstance(paths.controlSocket, service, signal);
}
