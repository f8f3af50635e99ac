import { rm } from 'node:fs/promises';
import { messageOf, U7sError } from '../lib/errors.js';
import { step } from '../lib/events.js';
import { u7s } from '../lib/fixes.js';
import { connectAsNode } from '../membership/certificates.js';
import { removeNode } from '../membership/remove-node.js';
import type { InstanceContext } from './context.js';
import { membershipOf, type Membership } from './membership.js';
import { resetTargets, stopAndRemove } from './removal.js';

/** Takes this node out of the cluster that it has joined, and removes its data. Returns what it was. */
export async function leave(context: InstanceContext): Promise<Membership> {
  const joined = await membershipOf(context.paths);
  if (joined === undefined) {
    throw new U7sError('not-joined', `cluster ${context.name} has not joined another one`, {
      fixes: [u7s(['cleanup'], { text: 'to remove a cluster of your own' })],
    });
  }
  await takeLeave(context, joined);
  // First: in a container this command may end with the node, before all is removed. `join` removes the rest.
  await rm(context.paths.remembered, { force: true });
  await stopAndRemove(context, resetTargets);
  return joined;
}

/** Has the control plane remove the node; one that does not answer is only warned of. */
async function takeLeave(
  { paths, report, signal }: InstanceContext,
  { controlPlane, nodeName }: Membership,
): Promise<void> {
  try {
    const node = await connectAsNode(controlPlane, paths.pki);
    try {
      await step(report, 'leave', `leave from ${controlPlane}`, (progress) =>
        removeNode(node, nodeName, progress, signal),
      );
    } finally {
      node.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    report({
      kind: 'warning',
      code: 'control-plane-unaware',
      text: `${controlPlane} still lists this node, ${nodeName}: it could not be reached: ${messageOf(error)}`,
      fixes: [u7s(['node', 'rm', nodeName], { on: 'control-plane', text: 'remove it' })],
    });
  }
}
