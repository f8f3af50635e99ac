/**
 * How much of the kernel's limits for one user a node and each of its pods (of one container) use, not counting the
 * programs in the pods. Measured by /proc/key-users and /proc/<pid>/fdinfo on a node with containerd. Pods use inotify
 * on cgroup v2 only, where a shim watches the events of each container's cgroup, including the pause container's, and
 * kubelet watches its directory.
 */
const consumption: Record<string, { node: number; pod: number }> = {
  'fs.inotify.max_user_instances': { node: 26, pod: 2 },
  'fs.inotify.max_user_watches': { node: 50, pod: 10 },
  'kernel.keys.maxkeys': { node: 0, pod: 2 },
  'kernel.keys.maxbytes': { node: 0, pod: 140 },
};

/** How many pods the lowest of these kernel settings permits. */
export function podsAllowed(values: Record<string, string>): string {
  const counts = Object.entries(values).flatMap(([key, value]) => {
    const each = consumption[key];
    return each === undefined ? [] : [Math.floor((Number(value) - each.node) / each.pod)];
  });
  return `enough for about ${Math.max(0, Math.min(...counts))} pods`;
}
