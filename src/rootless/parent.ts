/** How RootlessKit is started for a node. Paths are absolute. */
export type RootlessKitOptions = {
  rootlesskit: string;
  slirp4netns: string;
  stateDir: string;
  mtu: number;
  /** slirp4netns' network. */
  cidr: string;
  /** Port specs in RootlessKit's form, e.g. `127.0.0.1:6443:6443/tcp`. */
  publish: string[];
  cgroups: 'delegated' | 'none';
  /** What runs inside: program and arguments. */
  child: string[];
};

/**
 * RootlessKit's command line. Host loopback stays closed to the namespaces, slirp4netns runs in its own sandbox under
 * seccomp, and /etc and /run become writable copies.
 */
export function rootlessKitCommand(options: RootlessKitOptions): { command: string; args: string[] } {
  return {
    command: options.rootlesskit,
    args: [
      `--state-dir=${options.stateDir}`,
      '--net=slirp4netns',
      `--slirp4netns-binary=${options.slirp4netns}`,
      `--mtu=${options.mtu}`,
      `--cidr=${options.cidr}`,
      '--disable-host-loopback',
      '--slirp4netns-sandbox=auto',
      '--slirp4netns-seccomp=auto',
      '--port-driver=builtin',
      ...options.publish.map((port) => `--publish=${port}`),
      '--copy-up=/etc',
      '--copy-up=/run',
      '--cgroupns',
      '--pidns',
      '--ipcns',
      '--utsns',
      '--propagation=rslave',
      // The processes move to a group below, so that the one they came from can hand its controllers down.
      ...(options.cgroups === 'delegated' ? ['--evacuate-cgroup2=evac'] : []),
      ...options.child,
    ],
  };
}
