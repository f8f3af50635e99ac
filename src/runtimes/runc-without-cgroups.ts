import { wrapRuntime } from './runtime-wrapper.js';

/**
 * An OCI runtime for hosts without cgroup delegation: runc, which is made to ask for no cgroup and no limits. On its own, runc
 * fails there with "mkdir /sys/fs/cgroup/…: permission denied", since containerd always names a cgroup; it tolerates
 * missing cgroups only when `linux.cgroupsPath` is empty and `linux.resources` sets nothing (rootless_linux.go in
 * runc, fs/fs.go and fs2/fs2.go in opencontainers/cgroups). See docs/cgroups.md.
 *
 * @param runc absolute path of the real runc
 * @returns a POSIX shell script, to be installed executable and named as `BinaryName` of containerd's runc runtime
 */
export function renderRuntimeWrapper(runc: string): string {
  return wrapRuntime(
    runc,
    'Runs runc without cgroups: before a container is created, its config.json is told to want none.',
    `  LC_ALL=C sed -i -E \\
    -e ':join' -e '$!{N;b join' -e '}' \\
    -e 's/(^|[{,[:space:]])"resources"([[:space:]]*:[[:space:]]*\\{)/\\1"unlimitedResources"\\2/g' \\
    -e 's/(^|[{,[:space:]])("cgroupsPath"[[:space:]]*:[[:space:]]*)"([^"\\]|\\\\.)*"/\\1\\2""/g' \\
    -- "$config" || exit`,
  );
}
