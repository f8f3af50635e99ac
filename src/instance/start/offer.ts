import { publishContext } from '../../host/docker-context.js';
import { messageOf } from '../../lib/errors.js';
import { warningOf } from '../../lib/events.js';
import { runtimes } from '../../runtimes/table.js';
import { instanceName } from '../../settings/paths.js';
import { roleOf } from '../../settings/role.js';
import type { Settings } from '../../settings/schema.js';
import type { InstanceContext } from '../context.js';
import { publishKubeconfig } from '../kubeconfig.js';

/** Adds the cluster to the person's kubeconfig; returns whether it is there. Only a control plane has an administrator. */
export async function offerKubeconfig(context: InstanceContext, spec: Settings): Promise<boolean> {
  if (!spec.kubernetes || roleOf(spec) !== 'control-plane') return false;
  const fault = await publishKubeconfig(spec, context.paths, context.kubeconfig, context.signal);
  if (fault !== undefined) context.report(warningOf(fault));
  return fault === undefined;
}

/** Adds the instance's engine to those that the person's docker knows; without it the instance still works. */
export async function offerEngine(
  { dockerConfig, name, paths, report }: InstanceContext,
  { runtime }: Settings,
): Promise<void> {
  if (runtimes[runtime].engine === undefined) return;
  const context = instanceName(name);
  const fault = await publishContext(dockerConfig, context, paths.dockerSocket).then(
    (ours) => (ours ? undefined : 'there is another one of this name'),
    messageOf,
  );
  if (fault === undefined) return;
  report({
    kind: 'warning',
    text: `the docker context ${context} was not created: ${fault}`,
    code: 'docker-context',
    fixes: [`docker -H unix://${paths.dockerSocket}`],
  });
}
