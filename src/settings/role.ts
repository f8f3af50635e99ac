/** Who runs the control plane: this node, or one of another host. */
export type Role = 'control-plane' | 'worker';

export function roleOf({ controlPlane }: { controlPlane?: string | undefined }): Role {
  return controlPlane === undefined ? 'control-plane' : 'worker';
}

/** Whether the cluster can have other nodes, because other hosts reach this one. */
export function hasSeveralNodes({ hostIp }: { hostIp?: string | undefined }): boolean {
  return hostIp !== undefined;
}

/** The certificate with the most rights on this node: a worker has only its own. */
export function administrator(role: Role): string {
  return role === 'control-plane' ? 'admin' : 'kubelet';
}
