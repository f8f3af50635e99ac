import type { InstanceContext } from './context.js';
import { leave } from './leave.js';
import { membershipOf } from './membership.js';
import { resetTargets, stopAndRemove } from './removal.js';

/** Stops the instance and removes its data; a node that has joined another cluster leaves it first. */
export async function reset(context: InstanceContext): Promise<void> {
  if ((await membershipOf(context.paths)) !== undefined) await leave(context);
  else await stopAndRemove(context, resetTargets);
}
