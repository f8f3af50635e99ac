/** As the status of a Node has them. */
export type NodeCondition = { type: string; status: string; message?: string; lastHeartbeatTime?: string };

/** What a node can run short of, and what Kubernetes does about it. */
const consequences = {
  DiskPressure: 'its disk is nearly full, so that no pods are scheduled and some are evicted',
  PIDPressure: 'it has hardly any process IDs left, so that no pods are scheduled',
  MemoryPressure:
    'its memory is nearly used up, so that pods without requests are not scheduled and some are evicted',
} as const;

export type Pressure = keyof typeof consequences;

/** What the kubelet says that its node is short of, the worst first. */
export function pressures(conditions: readonly NodeCondition[] = []): Pressure[] {
  const names = Object.keys(consequences) as Pressure[];
  return names.filter((name) => conditions.some(({ type, status }) => type === name && status === 'True'));
}

/** `DiskPressure: its disk is …`. */
export const pressureText = (pressure: Pressure): string => `${pressure}: ${consequences[pressure]}`;

/** Whether it keeps the cluster's own pods from being scheduled, too. */
export const keepsPodsAway = (pressure: Pressure): boolean => pressure !== 'MemoryPressure';

/** What helps. */
export function pressureFixes(pressure: Pressure): string[] {
  switch (pressure) {
    case 'DiskPressure':
      return [
        'free space on the disk of the state folder: the node is used again within a minute',
        'set XDG_STATE_HOME to a folder on a larger disk',
      ];
    case 'PIDPressure':
      return ['end processes of this user, or raise their number: ulimit -u'];
    case 'MemoryPressure':
      return ['end programs, or give pods requests and limits'];
  }
}
