/**
 * What a node and each of its pods (of one container) take of the kernel's limits for one user, without what the programs
 * in pods use themselves. Measured by /proc/key-users and /proc/<pid>/fdinfo on a node with containerd; of inotify, pods take
 * something on cgroup v2 alone, where a shim watches the events of each container's cgroup, the pause container's too, and
 * kubelet its directory.
 */
const consumption: Record<string, { node: number; pod: number }> = {
  'fs.inotify.max_user_instances': { node: 26, pod: 2 },
  'fs.inotify.max_user_watches': { node: 50, pod: 10 },
  'kernel.keys.maxkeys': { node: 0, pod: 2 },
  'kernel.keys.maxbytes': { node: 0, pod: 140 },
};

/** How many pods the lowest of these kernel settings allows. */
export function podsAllowed(values: Record<string, string>): string {
  const counts = Object.entries(values).flatMap(([key, value]) => {
    const each = consumption[key];
    return each === undefined ? [] : [Math.floor((Number(value) - each.node) / each.pod)];
  });
  return `enough for about ${Math.max(0, Math.min(...counts))} pods`;
}
