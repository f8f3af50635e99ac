import { preflight, type Check } from '../host/preflight.js';
import { pressureFixes, pressureText } from '../kube/pressure.js';
import { u7s } from '../lib/fixes.js';
import { instanceStatus } from '../launcher/client.js';
import type { InstanceContext } from './context.js';
import { hostContext } from './start/host.js';
import { nodeReport, type NodeReport } from './status.js';

/** What doctor needs to know; without a runtime directory there are no paths, and a check says what is wrong with it. */
export type DoctorContext = Pick<InstanceContext, 'env' | 'signal' | 'projectRoot'> & {
  paths: InstanceContext['paths'] | undefined;
};

/** Checks whether this host is ready for a node whose API is published on `apiPort`. */
export async function doctor(context: DoctorContext, { apiPort }: { apiPort: number }): Promise<Check[]> {
  const { paths, signal } = context;
  const running = paths && (await instanceStatus(paths.controlSocket, signal));
  // A node that runs is itself what listens there.
  const api = running ? undefined : { address: '127.0.0.1', port: apiPort };
  const checks = await preflight(await hostContext(context, { api, dockerSocket: undefined }));
  const node = running && (await nodeReport(running, { paths, signal }));
  return node ? [...checks, nodeCheck(node)] : checks;
}

/** What the node that runs says of itself. */
export function nodeCheck({ name, ready, problem, pressure = [] }: NodeReport): Check {
  const about = {
    id: 'node',
    title: 'node that runs',
    why: 'pods run only on a node that has room for them',
  };
  const found = ready ? `${name} is Ready` : `${name} is not Ready: ${problem ?? 'unknown'}`;
  const [worst] = pressure;
  if (worst !== undefined) {
    const said = `${found}, but under ${pressureText(worst)}`;
    return { ...about, status: 'warning', found: said, fixes: pressureFixes(worst) };
  }
  if (ready) return { ...about, status: 'ok', found, fixes: [] };
  return { ...about, status: 'warning', found, fixes: [u7s(['status'], { text: 'see what is not ready' })] };
}
