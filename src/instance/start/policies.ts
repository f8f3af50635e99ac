import { policyFault } from '../../host/policy-trial.js';
import { prepare } from '../../host/check.js';
import { u7s } from '../../lib/fixes.js';
import { binaryOf, type Artifacts } from '../../plan/artifacts.js';
import { hasFeature } from '../../settings/features.js';
import type { Settings } from '../../settings/schema.js';
import type { InstanceContext } from '../context.js';
import { hostContext } from './host.js';

/** Whether this node is to enforce NetworkPolicies and cannot. That is tried, and warned of. */
export async function lacksPolicies(
  context: InstanceContext,
  settings: Settings,
  artifacts: Artifacts,
): Promise<boolean> {
  if (!hasFeature(settings, 'netpol')) return false;
  const { host, user, stateHome } = await hostContext(context, { api: undefined, dockerSocket: undefined });
  const program = binaryOf(artifacts)('network-policies');
  const fault = await policyFault(host, user, { program, directory: stateHome });
  if (fault === undefined) return false;
  context.report({
    kind: 'warning',
    code: 'policies-unenforced',
    text: `NetworkPolicies are not enforced on this node: ${fault}`,
    fixes: [
      prepare,
      u7s(['up', '--without', 'netpol'], { text: 'or do without them, and without this warning' }),
    ],
  });
  return true;
}
