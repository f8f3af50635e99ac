import { preflight, type Check } from '../host/preflight.js';
import { instanceStatus } from '../launcher/client.js';
import type { InstanceContext } from './context.js';
import { hostContext } from './start/host.js';

/** What doctor needs to know; without a runtime directory there are no paths, and a check says what is wrong with it. */
export type DoctorContext = Pick<InstanceContext, 'env' | 'signal'> & {
  paths: InstanceContext['paths'] | undefined;
};

/** Checks whether this host is ready for a node whose API is published on `apiPort`. */
export async function doctor(context: DoctorContext, { apiPort }: { apiPort: number }): Promise<Check[]> {
  // A node that runs is itself what listens there.
  const api = (await isRunning(context)) ? undefined : { address: '127.0.0.1', port: apiPort };
  return preflight(await hostContext(context, { api, dockerSocket: undefined }));
}

async function isRunning({ paths, signal }: DoctorContext): Promise<boolean> {
  return paths !== undefined && (await instanceStatus(paths.controlSocket, signal)) !== undefined;
}
