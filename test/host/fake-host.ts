import type { CheckContext } from '#src/host/check.js';
import type { FileStats, Host } from '#src/host/host.js';
import type { NamespaceTrial } from '#src/host/namespace-trial.js';
import { chooseNetfilter } from '#src/rootless/netfilter.js';
import { neededPrograms, rootsPrograms } from '#src/host/packages.js';

export type FakeHost = {
  files: Record<string, string>;
  stats: Record<string, FileStats>;
  openFaults: Record<string, string>;
  listenFault: string | undefined;
  portHolder: string | undefined;
  watchFault: string | undefined;
  unixSocket: 'free' | 'served' | 'not a socket';
  closedFolders: string[];
  programs: string[];
  available: number;
  total: number;
  /** Answers by the whole command line; others exit with 1. */
  answers: Record<string, string>;
};

export type Changes = Partial<Omit<FakeHost, 'files' | 'stats'>> & {
  files?: Record<string, string | undefined>;
  stats?: Record<string, FileStats | undefined>;
};

const character = 0o020000;
const file = 0o100000;
const release = '6.1.0-25-amd64';
/** When everything on the machine was installed, and the time there. */
const installed = Date.UTC(2026, 0, 1);
export const now = Date.UTC(2026, 6, 1);

/** A file or folder as it lies on the machine. */
export function owned(mode: number, uid = 0, mtimeMs = installed): FileStats {
  return { mode, uid, mtimeMs };
}

const builtIn = ['bridge', 'veth', 'vxlan', 'overlay', 'tun', 'fuse', 'ip_tables', 'nf_conntrack'];

/** A Debian machine that is ready for a node of alice's. */
export const preparedMachine: FakeHost = {
  files: {
    '/etc/subuid': 'alice:100000:65536\n',
    '/etc/subgid': 'alice:100000:65536\n',
    '/proc/sys/kernel/osrelease': `${release}\n`,
    '/proc/sys/user/max_user_namespaces': '63424\n',
    '/proc/sys/net/ipv4/ping_group_range': '0\t2147483647\n',
    '/proc/sys/net/ipv4/ip_unprivileged_port_start': '1024\n',
    '/proc/sys/fs/inotify/max_user_instances': '1024\n',
    '/proc/sys/fs/inotify/max_user_watches': '524288\n',
    '/proc/sys/kernel/keys/maxkeys': '2000\n',
    '/proc/sys/kernel/keys/maxbytes': '2000000\n',
    [`/lib/modules/${release}/modules.builtin`]: builtIn.map((name) => `kernel/x/${name}.ko\n`).join(''),
    [`/lib/modules/${release}/modules.dep`]: 'kernel/net/bridge/br_netfilter.ko.xz: kernel/net/x.ko.xz\n',
    '/proc/self/mountinfo': '22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n',
  },
  stats: {
    '/usr/bin/newuidmap': owned(file | 0o4755),
    '/usr/bin/newgidmap': owned(file | 0o4755),
    '/usr/bin/node': owned(file | 0o755),
    '/dev/net/tun': owned(character | 0o666),
    '/dev/fuse': owned(character | 0o666),
    '/proc/sys/net/bridge/bridge-nf-call-iptables': owned(file | 0o644),
    '/run/user/1000': owned(0o040700, 1000),
  },
  openFaults: {},
  listenFault: undefined,
  portHolder: undefined,
  watchFault: undefined,
  unixSocket: 'free',
  closedFolders: [],
  programs: [...Object.keys({ ...neededPrograms, ...rootsPrograms }), 'apt-get'],
  available: 100 * 2 ** 30,
  total: 200 * 2 ** 30,
  answers: { 'getent passwd alice': 'alice:x:1000:1000::/home/alice:/bin/bash' },
};

/** The prepared machine with these changes; in `files` and `stats`, undefined takes one away. */
export function fakeHost(changes: Changes = {}): Host {
  const { files, stats, ...rest } = changes;
  const host = {
    ...preparedMachine,
    ...rest,
    files: { ...preparedMachine.files, ...files },
    stats: { ...preparedMachine.stats, ...stats },
  };
  return {
    read: (path) => Promise.resolve(host.files[path]),
    list: (path) =>
      Promise.resolve(
        Object.keys(host.files)
          .filter((each) => each.startsWith(`${path}/`))
          .map((each) => each.slice(path.length + 1)),
      ),
    stat: (path) => Promise.resolve(host.stats[path]),
    openFault: (path) => Promise.resolve(host.openFaults[path]),
    closedFolder: (path) => Promise.resolve(host.closedFolders.find((folder) => path.startsWith(folder))),
    listenFault: () => Promise.resolve(host.listenFault),
    portHolder: () => Promise.resolve(host.portHolder),
    watchFault: () => Promise.resolve(host.watchFault),
    env: {},
    unixSocket: () => Promise.resolve(host.unixSocket),
    which: (program) => Promise.resolve(host.programs.includes(program) ? `/usr/bin/${program}` : undefined),
    space: () => Promise.resolve({ available: host.available, total: host.total }),
    run: (command, args) => {
      const stdout = host.answers[[command, ...args].join(' ')];
      return Promise.resolve({ exitCode: stdout === undefined ? 1 : 0, stdout: stdout ?? '', stderr: '' });
    },
  };
}

/** A trial of namespaces in which everything went well but this. */
export function trial(faults: NamespaceTrial['faults'] = {}): NamespaceTrial {
  return { refused: undefined, faults, netfilter: chooseNetfilter(faults, '/usr/sbin/iptables-legacy') };
}

/** A trial in which there were no namespaces. */
export function refused(said: string): NamespaceTrial {
  return { refused: said, faults: {}, netfilter: undefined };
}

/** The user alice of the prepared host. */
export function preparedContext(changes: Partial<CheckContext> = {}): CheckContext {
  const range = { owner: 'alice', start: 100_000, count: 65_536 };
  return {
    host: fakeHost(),
    env: {},
    user: { name: 'alice', uid: 1000, gid: 1000, subUids: [range], subGids: [range] },
    home: '/home/alice',
    dataHome: '/home/alice/.local/share',
    stateHome: '/home/alice/.local/state',
    api: { address: '127.0.0.1', port: 6443 },
    dockerSocket: '/run/user/1000/docker.sock',
    node: { path: '/usr/bin/node', version: '20.19.0' },
    now,
    cgroups: () =>
      Promise.resolve({
        mode: 'delegated',
        version: 'v2',
        controllers: [],
        reason: 'pod limits are on',
        fixes: [],
        enter: [],
      }),
    runtimeDir: () => Promise.resolve('/run/user/1000'),
    namespaceTrial: () => Promise.resolve(trial()),
    ...changes,
  };
}
