import { installedArtifact } from '../artifacts/resolve.js';
import { ok, prepare, unknown, warning, type CheckContext } from '../host/check.js';
import { policyFault } from '../host/policy-trial.js';
import { preflight, type Check } from '../host/preflight.js';
import { pressureFixes, pressureText } from '../kube/pressure.js';
import { u7s } from '../lib/fixes.js';
import { instanceStatus } from '../launcher/client.js';
import { artifactContext } from './artifact-context.js';
import type { InstanceContext } from './context.js';
import { hostContext } from './start/host.js';
import { nodeReport, type NodeReport } from './status.js';

/** What doctor needs to know; without a runtime directory there are no paths, and a check says what is wrong with it. */
export type DoctorContext = Pick<InstanceContext, 'env' | 'signal' | 'projectRoot' | 'report'> & {
  paths: InstanceContext['paths'] | undefined;
};

/** Checks whether this host is ready for a node whose API is published on `apiPort`. */
export async function doctor(context: DoctorContext, { apiPort }: { apiPort: number }): Promise<Check[]> {
  const { paths, signal } = context;
  const running = paths && (await instanceStatus(paths.controlSocket, signal));
  // A node that runs is itself what listens there.
  const api = running ? undefined : { address: '127.0.0.1', port: apiPort };
  const host = await hostContext(context, { api, dockerSocket: undefined });
  const checks = [...(await preflight(host)), await policyCheck(context, host)];
  const node = running && (await nodeReport(running, { paths, signal }));
  return node ? [...checks, nodeCheck(node)] : checks;
}

/** Whether the kernel takes the rules of NetworkPolicies, tried with the program that makes them. */
async function policyCheck(context: DoctorContext, checked: CheckContext): Promise<Check> {
  const { paths } = context;
  const about = {
    id: 'network-policies',
    title: 'network policies',
    why: 'without them every pod can be reached by all others',
  };
  const program =
    paths && installedArtifact('network-policies', artifactContext({ ...context, paths }))?.binaries;
  if (program?.['network-policies'] === undefined)
    return { ...about, ...unknown('not tried: the first start brings the program') };
  const fault = await policyFault(checked.host, checked.user, {
    program: program['network-policies'],
    directory: checked.stateHome,
  });
  return { ...about, ...(fault === undefined ? ok('can be enforced') : warning(fault, prepare)) };
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
