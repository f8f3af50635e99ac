import { readRemembered } from '../settings/remembered.js';
import type { Paths } from '../settings/paths.js';

/** What this node has joined, and as what. */
export type Membership = { controlPlane: string; nodeName: string };

/** Undefined for a cluster of its own, and where there is none. */
export async function membershipOf({ remembered }: Paths): Promise<Membership | undefined> {
  const { controlPlane, nodeName } = (await readRemembered(remembered)) ?? {};
  return controlPlane === undefined || nodeName === undefined ? undefined : { controlPlane, nodeName };
}
