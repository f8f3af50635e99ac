import { dirname } from 'node:path';
import { networkFolder } from '../services/pod-network.js';
import type { ServiceContext } from '../services/context.js';

/** crio.conf: what differs from CRI-O's own defaults. Storage and registries are in the files that skopeo reads too. */
export function crioConfig(context: ServiceContext, runtime: string): string {
  const text = JSON.stringify; // a JSON string is a TOML basic string
  return `[crio]
version_file = "/run/crio/version"
# All that CRI-O keeps is in one folder of the instance's state.
clean_shutdown_file = "/var/lib/containers/clean.shutdown"

[crio.api]
listen = "/run/crio/crio.sock"

[crio.runtime]
default_runtime = "runc"
cgroup_manager = "cgroupfs"
# Otherwise CRI-O would make a pod's cgroup itself, which fails where none is delegated.
drop_infra_ctr = false
pinns_path = ${text(context.binary('pinns'))}
namespaces_dir = "/run/crio"
container_exits_dir = "/run/crio/exits"
container_attach_socket_dir = "/run/crio"
# None of these is available without being root on the host.
selinux = false
apparmor_profile = "unconfined"
irqbalance_config_file = ""
irqbalance_config_restore_file = "disable"
cdi_spec_dirs = []
hooks_dir = []
# As with containerd: any user may serve port 80 and ping.
default_sysctls = ["net.ipv4.ip_unprivileged_port_start=0", "net.ipv4.ping_group_range=0 65535"]

[crio.runtime.runtimes.runc]
runtime_type = "oci"
runtime_path = ${text(runtime)}
runtime_root = "/run/runc"
monitor_path = ${text(context.binary('conmon'))}
monitor_cgroup = "pod"

[crio.image]
pause_image = ${text(context.pauseImage)}
pause_command = "/pause"
# What was made here no registry has, so that the kubelet must not remove it.
pinned_images = ["localhost/*"]
# Read at each pull.
global_auth_file = ${text(context.registries.credentials)}
short_name_mode = "disabled"
big_files_temporary_dir = "/var/lib/containers"

[crio.network]
network_dir = ${text(networkFolder)}
plugin_dirs = [${text(dirname(context.binary('bridge')))}]

[crio.nri]
enable_nri = false
`;
}
