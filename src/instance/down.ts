import { stopInstance } from '../launcher/client.js';
import { stillRunning } from '../launcher/diagnosis.js';
import { step } from '../lib/events.js';
import { isServed } from '../supervisor/control-socket.js';
import type { InstanceContext } from './context.js';
import { removeStaleRuntime } from './removal.js';

/** Stops the instance; its data stays. Returns whether it was running. */
export async function down({ name, paths, report, signal }: InstanceContext): Promise<boolean> {
  const wasRunning = await isServed(paths.controlSocket);
  if (wasRunning) {
    await step(report, 'stop', `stop of cluster ${name}`, async (progress) => {
      await stopInstance(paths.controlSocket, signal, ({ services }) =>
        progress(`waiting for ${stillRunning(services)}`),
      );
      progress('');
    });
  }
  await removeStaleRuntime(paths);
  return wasRunning;
}
