import type { Settings } from './schema.js';

/** Who runs the control plane: this node, or one of another host. */
export type Role = 'control-plane' | 'worker';

export function roleOf({ controlPlane }: Pick<Settings, 'controlPlane'>): Role {
  return controlPlane === undefined ? 'control-plane' : 'worker';
}

/** The certificate with the most rights on this node: a worker has nobody's but its own. */
export function administrator(role: Role): string {
  return role === 'control-plane' ? 'admin' : 'kubelet';
}
