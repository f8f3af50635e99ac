import test from 'ava';
import { prepare, type CheckContext } from '#src/host/check.js';
import type { NamespaceTrial } from '#src/host/namespace-trial.js';
import { preflight, preflightForUp, requireHost, type Check } from '#src/host/preflight.js';
import { U7sError } from '#src/lib/errors.js';
import { u7s, type Fix } from '#src/lib/fixes.js';
import { likeFixes } from '../like-fixes.js';
import {
  fakeHost,
  owned,
  preparedContext,
  preparedMachine,
  refused,
  trial,
  type Changes,
} from './fake-host.js';

test('a prepared host passes every check, and each says what it found and why it matters', async (t) => {
  const checks = await preflight(preparedContext());
  t.deepEqual(
    checks.filter(({ status }) => status !== 'ok').map(({ id, status }) => [id, status]),
    [['clock-sync', 'unknown']], // it has no systemd to ask
  );
  t.true(checks.every(({ found, why, fixes }) => found !== '' && why !== '' && fixes.length === 0));
  t.notThrows(() => requireHost(checks));
});

type Fault = {
  id: string;
  status: 'warning' | 'blocked';
  host?: Changes;
  context?: Partial<CheckContext>;
  found: RegExp;
  /** All of them, in this order; those in words by what they contain. */
  fixes: (Fix | RegExp)[];
};

const without = (...names: string[]): Changes => ({
  programs: preparedMachine.programs.filter((program) => !names.includes(program)),
});
const user = preparedContext().user;
const release = '6.1.0-25-amd64';
const noModules = {
  [`/lib/modules/${release}/modules.builtin`]: undefined,
  [`/lib/modules/${release}/modules.dep`]: undefined,
};
const noBridgeNetfilter = trial({ 'bridge-netfilter': 'grep: No such file or directory' });

function tried(result: NamespaceTrial): Partial<CheckContext> {
  return { namespaceTrial: () => Promise.resolve(result) };
}

function swaps(...areas: string[]): string {
  const lines = areas.map((area) => `${area} partition 8388604 0 -2`);
  return ['Filename Type Size Used Priority', ...lines, ''].join('\n');
}
const encrypted = {
  '/sys/block/dm-1/dm/uuid': 'CRYPT-LUKS2-0815\n',
  '/sys/block/dm-2/dm/uuid': 'LVM-4711\n',
};
const notLoaded = { '/proc/sys/net/bridge/bridge-nf-call-iptables': undefined };

const faults: Record<string, Fault> = {
  'real root': {
    id: 'ordinary-user',
    status: 'blocked',
    context: { user: { ...user, uid: 0 } },
    found: /this is root/,
    fixes: [
      u7s(['init-host'], { about: 'host', text: 'make the user usernetes, as whom root’s commands run' }),
    ],
  },
  'a user without sub-IDs': {
    id: 'sub-ids',
    status: 'blocked',
    context: { user: { ...user, subUids: [], subGids: [] } },
    found: /^alice has none in \/etc\/subuid, none in \/etc\/subgid; 65536/,
    fixes: [prepare],
  },
  'a user with too few sub-IDs': {
    id: 'sub-ids',
    status: 'blocked',
    context: { user: { ...user, subGids: [{ owner: 'alice', start: 100_000, count: 1000 }] } },
    found: /^alice has 1000 in \/etc\/subgid; 65536/,
    fixes: [prepare],
  },
  'sub-IDs shared with another user': {
    id: 'sub-id-overlap',
    status: 'warning',
    host: { files: { '/etc/subuid': 'alice:100000:65536\nbob:165535:65536\n' } },
    found: /alice:100000:65536 and bob:165535:65536/,
    fixes: [/\/etc\/subuid/],
  },
  'the same sub-IDs twice': {
    id: 'sub-ids',
    status: 'blocked',
    context: { user: { ...user, subUids: [...user.subUids, ...user.subUids] } },
    found: /lends alice the same IDs twice: alice:100000:65536 and alice:100000:65536/,
    fixes: [/remove one of these lines from \/etc\/subuid/],
  },
  'sub-IDs that are those of a real user': {
    id: 'sub-id-overlap',
    status: 'warning',
    host: {
      files: { '/etc/passwd': 'root:x:0:0::/root:/bin/sh\ncarol:x:100500:100500::/home/carol:/bin/sh\n' },
    },
    found: /^carol has the ID 100500, which \/etc\/subuid lends to alice$/,
    fixes: [/another range in \/etc\/subuid/],
  },
  'a runtime directory that others can reach': {
    id: 'runtime-dir',
    status: 'blocked',
    context: {
      runtimeDir: () =>
        Promise.reject(
          new U7sError('runtime-dir-unsafe', 'XDG_RUNTIME_DIR=/x has mode 0777', {
            fixes: ['chmod 0700 /x'],
          }),
        ),
    },
    found: /mode 0777/,
    fixes: [/^chmod 0700 \/x$/],
  },
  'an old Node.js': {
    id: 'node',
    status: 'blocked',
    context: { node: { path: '/usr/bin/node', version: '18.20.4' } },
    found: /18\.20\.4/,
    fixes: [/20\.19/],
  },
  'a Node.js in another user’s home': {
    id: 'node',
    status: 'blocked',
    context: { node: { path: '/elsewhere/bin/node', version: '20.19.0' } },
    found: /cannot reach/,
    fixes: [/for all users/],
  },
  'no newuidmap': {
    id: 'newuidmap',
    status: 'blocked',
    host: without('newuidmap'),
    found: /not installed/,
    fixes: [prepare, /^sudo apt-get install uidmap$/],
  },
  'a newgidmap without its privileges': {
    id: 'newgidmap',
    status: 'blocked',
    host: { stats: { '/usr/bin/newgidmap': owned(0o100755) } },
    context: tried(refused('newgidmap: write to gid_map failed: Operation not permitted')),
    found: /no privileges: neither setuid nor/,
    fixes: [/chmod u\+s \/usr\/bin\/newgidmap/],
  },
  'user namespaces switched off': {
    id: 'user-namespace',
    status: 'blocked',
    host: { files: { '/proc/sys/kernel/unprivileged_userns_clone': '0\n' } },
    context: tried(refused('unshare failed: Operation not permitted')),
    found: /not permitted \(kernel\.unprivileged_userns_clone = 0\)/,
    fixes: [prepare],
  },
  'AppArmor that allows namespaces to named programs only': {
    id: 'user-namespace',
    status: 'blocked',
    host: { files: { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' } },
    context: tried(refused('root of the namespace may not mount: mount: /run: permission denied.')),
    found: /permission denied\. \(kernel\.apparmor_restrict_unprivileged_userns = 1/,
    fixes: [
      prepare,
      /^as root:\n.*profile usernetes-alice "\/home\/alice\/\{,\*\*\/\}\{artifacts\/rootlesskit\/.*\n {2}userns,\n.*apparmor_parser --replace \/etc\/apparmor\.d\/usernetes-alice$/s,
    ],
  },
  no_new_privs: {
    id: 'user-namespace',
    status: 'blocked',
    host: { files: { '/proc/self/status': 'Name:\tnode\nNoNewPrivs:\t1\nSeccomp:\t0\n' } },
    context: tried(refused('newuidmap: write to uid_map failed: Operation not permitted')),
    found: /no_new_privs is set/,
    fixes: [/login shell/],
  },
  'a seccomp filter, as in a container': {
    id: 'user-namespace',
    status: 'blocked',
    host: { files: { '/proc/self/status': 'Name:\tnode\nNoNewPrivs:\t0\nSeccomp:\t2\n' } },
    context: tried(refused('unshare: unshare failed: Operation not permitted')),
    found: /seccomp filter/,
    fixes: [/docker run --privileged/],
  },
  'a user whom SELinux confines': {
    id: 'selinux',
    status: 'warning',
    host: {
      files: {
        '/sys/fs/selinux/enforce': '1',
        '/proc/self/attr/current': 'user_u:user_r:user_t:s0\0',
      },
    },
    found: /^enforcing, and this user is confined as user_u:user_r:user_t:s0$/,
    fixes: [/^sudo semanage login --add --seuser unconfined_u alice/],
  },
  'no overlayfs': {
    id: 'overlay',
    status: 'warning',
    context: tried(trial({ overlay: 'mount: wrong fs type', fuse: 'fuse-overlayfs: not found' })),
    found:
      /images are copied whole, since overlayfs failed: mount: wrong fs type, and fuse-overlayfs: .*not found/,
    fixes: [prepare, /XDG_STATE_HOME.*5\.11/],
  },
  'a file system that gives no files to sub-IDs': {
    id: 'owners',
    status: 'blocked',
    context: tried(trial({ owners: 'chown: Operation not permitted' })),
    found: /^chown: Operation not permitted$/,
    fixes: [/XDG_STATE_HOME/],
  },
  'a /proc that is covered in part': {
    id: 'proc',
    status: 'blocked',
    context: tried(trial({ proc: 'mount: /proc: permission denied.' })),
    found: /permission denied/,
    fixes: [/systempaths=unconfined/, /mountinfo/],
  },
  'a /proc/sys that cannot be written': {
    id: 'forwarding',
    status: 'blocked',
    context: tried(trial({ forwarding: 'sh: cannot create: Read-only file system' })),
    found: /Read-only/,
    fixes: [/docker run --privileged/, /mountinfo/],
  },
  'no slirp4netns': {
    id: 'slirp4netns',
    status: 'blocked',
    host: without('slirp4netns'),
    found: /not installed/,
    fixes: [prepare, /install slirp4netns$/],
  },
  'no iptables': {
    id: 'iptables',
    status: 'blocked',
    host: without('iptables'),
    found: /not installed/,
    fixes: [prepare, /^sudo apt-get install iptables$/],
  },
  'no iproute2': {
    id: 'ip',
    status: 'blocked',
    host: without('ip'),
    found: /not installed/,
    fixes: [prepare, /iproute2/],
  },
  'no mount': {
    id: 'mount',
    status: 'blocked',
    host: without('mount'),
    found: /not installed/,
    fixes: [prepare, /^sudo apt-get install mount$/],
  },
  'no nsenter': {
    id: 'nsenter',
    status: 'blocked',
    host: without('nsenter'),
    found: /not installed/,
    fixes: [prepare, /util-linux/],
  },
  'a closed /dev/net/tun': {
    id: 'tun',
    status: 'blocked',
    host: { openFaults: { '/dev/net/tun': 'EACCES' } },
    found: /EACCES/,
    fixes: [prepare, /chmod 0666 \/dev\/net\/tun/],
  },
  'a tun device of which no interface can be made': {
    id: 'tun',
    status: 'blocked',
    context: tried(trial({ tap: 'ioctl(TUNSETIFF): Operation not permitted' })),
    found: /TUNSETIFF/,
    fixes: [/modprobe tun/],
  },
  'a fuse-overlayfs that does not mount': {
    id: 'fuse',
    status: 'warning',
    context: tried(trial({ fuse: 'fuse: device not found' })),
    found: /device not found/,
    fixes: [prepare],
  },
  'no /dev/fuse': {
    id: 'fuse',
    status: 'warning',
    host: { openFaults: { '/dev/fuse': 'ENOENT' } },
    found: /does not exist/,
    fixes: [prepare],
  },
  'an old kernel': {
    id: 'kernel',
    status: 'warning',
    host: { files: { '/proc/sys/kernel/osrelease': '5.10.0-30-amd64\n' } },
    found: /5\.10\.0/,
    fixes: [/5\.11/],
  },
  'a kernel too old for overlayfs': {
    id: 'kernel',
    status: 'blocked',
    host: { files: { '/proc/sys/kernel/osrelease': '4.18.0-553.el8\n' } },
    context: tried(trial({ overlay: 'mount: permission denied' })),
    found: /4\.18\.0/,
    fixes: [/5\.11/],
  },
  'br_netfilter not loaded': {
    id: 'br-netfilter',
    status: 'blocked',
    context: tried(noBridgeNetfilter),
    host: { stats: notLoaded },
    found: /not loaded/,
    fixes: [prepare, /modprobe br_netfilter/],
  },
  'br_netfilter switched off': {
    id: 'br-netfilter',
    status: 'blocked',
    context: tried(noBridgeNetfilter),
    found: /switched off/,
    fixes: [/sysctl -w net\.bridge\.bridge-nf-call-iptables=1/],
  },
  'a kernel without br_netfilter': {
    id: 'br-netfilter',
    status: 'blocked',
    context: tried(noBridgeNetfilter),
    host: { stats: notLoaded, files: { ...noModules, '/proc/config.gz': '\nCONFIG_BRIDGE=y\n' } },
    found: /not in this kernel/,
    fixes: [/CONFIG_BRIDGE_NETFILTER/],
  },
  'a kernel that was upgraded and not yet booted': {
    id: 'br-netfilter',
    status: 'blocked',
    context: tried(noBridgeNetfilter),
    host: { stats: notLoaded, files: { ...noModules, '/proc/config.gz': '\nCONFIG_BRIDGE_NETFILTER=m\n' } },
    found: /modules are gone/,
    fixes: [/^reboot$/],
  },
  'no bridges': {
    id: 'network-devices',
    status: 'blocked',
    context: tried(trial({ bridge: 'Error: Unknown device type.' })),
    found: /Unknown device type/,
    fixes: [/modprobe -a bridge veth/, /kernel/],
  },
  'no vxlan': {
    id: 'vxlan',
    status: 'warning',
    context: tried(trial({ vxlan: 'Error: Unknown device type.' })),
    found: /Unknown device type/,
    fixes: [/modprobe vxlan/, /linux-modules-extra-raspi/],
  },
  'neither iptables nor nft works': {
    id: 'netfilter',
    status: 'blocked',
    context: tried(trial({ 'iptables-legacy': 'no', iptables: 'no table nat', nft: 'nft: not found' })),
    found: /^iptables: no table nat; nft: nft: not found$/,
    fixes: [prepare, /modprobe -a ip_tables/],
  },
  'a lock of iptables that SELinux denies': {
    id: 'netfilter',
    status: 'blocked',
    context: tried(
      trial({
        'iptables-legacy': 'no',
        iptables: 'Fatal: can’t open lock file /run/xtables.lock: Permission denied',
        nft: 'nft: not found',
      }),
    ),
    found: /xtables\.lock/,
    fixes: [/semanage permissive --add iptables_t/],
  },
  'iptables on nf_tables, with little room': {
    id: 'netfilter',
    status: 'warning',
    context: tried(trial({ 'iptables-legacy': 'iptables-legacy: not found' })),
    host: { files: { '/proc/sys/net/core/wmem_default': '212992\n' } },
    found: /^iptables, on nf_tables; a message of 208 KiB holds the rules of about 50 Services$/,
    fixes: [prepare, /sysctl -w net\.core\.wmem_default=4194304/],
  },
  'ping closed': {
    id: 'ping-group-range',
    status: 'warning',
    host: { files: { '/proc/sys/net/ipv4/ping_group_range': '1\t0\n' } },
    found: /ping_group_range = 1 0/,
    fixes: [prepare],
  },
  'low inotify limits': {
    id: 'inotify',
    status: 'warning',
    host: { files: { '/proc/sys/fs/inotify/max_user_instances': '128\n' } },
    found: /^fs\.inotify\.max_user_instances = 128: enough for about 51 pods$/,
    fixes: [prepare],
  },
  'low keyring quotas': {
    id: 'keyrings',
    status: 'warning',
    host: { files: { '/proc/sys/kernel/keys/maxkeys': '200\n' } },
    found: /^kernel\.keys\.maxkeys = 200: enough for about 100 pods$/,
    fixes: [prepare],
  },
  'inotify used up': {
    id: 'inotify-left',
    status: 'blocked',
    host: { watchFault: 'EMFILE' },
    found: /have used up fs\.inotify\.max_user_instances = 1024 \(EMFILE\)$/,
    fixes: [prepare, /end programs of yours/],
  },
  'ports of which more than usual are root’s': {
    id: 'low-ports',
    status: 'warning',
    host: { files: { '/proc/sys/net/ipv4/ip_unprivileged_port_start': '32000\n' } },
    found: /ports from 32000 on/,
    fixes: [/ip_unprivileged_port_start=1024/],
  },
  'swap on a disk': {
    id: 'swap',
    status: 'warning',
    host: {
      files: { '/proc/swaps': swaps('/dev/sda2', '/dev/zram0', '/dev/dm-1', '/dev/dm-2'), ...encrypted },
    },
    found: /^on \/dev\/sda2, \/dev\/dm-2, not encrypted$/,
    fixes: [/^sudo swapoff \/dev\/sda2 \/dev\/dm-2$/, /encrypt/],
  },
  'a clock that has forgotten the time': {
    id: 'clock',
    status: 'blocked',
    context: { now: Date.UTC(1970, 0, 1) },
    found: /^1970-01-01T00:00:00Z, which is before Node\.js was installed$/,
    fixes: [/timedatectl set-ntp/, /sudo date/],
  },
  'a clock that no time service keeps': {
    id: 'clock-sync',
    status: 'warning',
    host: {
      stats: { '/run/systemd/system': owned(0o040755) },
      answers: { 'timedatectl show --property=NTPSynchronized --value': 'no' },
    },
    found: /not synchronized/,
    fixes: [/timedatectl set-ntp true/],
  },
  'no delegated cgroups': {
    id: 'cgroups',
    status: 'warning',
    context: {
      cgroups: () =>
        Promise.resolve({
          mode: 'none',
          version: 'v1',
          controllers: [],
          reason: 'pod limits are off: cgroup v1',
          fixes: ['boot with v2'],
          enter: [],
        }),
    },
    found: /^pod limits are off: cgroup v1$/,
    fixes: ['boot with v2'],
  },
  'a home that forbids execution': {
    id: 'home',
    status: 'blocked',
    host: { files: { '/proc/self/mountinfo': '1 1 0:1 / /home rw,noexec - ext4 /dev/vdb rw\n' } },
    found: /\/home is mounted noexec/,
    fixes: [/XDG_DATA_HOME/],
  },
  'a home on NFS': {
    id: 'home',
    status: 'warning',
    host: { files: { '/proc/self/mountinfo': '1 1 0:1 / /home/alice rw - nfs4 server:/alice rw\n' } },
    found: /\/home\/alice is nfs4/,
    fixes: [/XDG_STATE_HOME/],
  },
  'a full disk': {
    id: 'disk-space',
    status: 'blocked',
    host: { available: 2 ** 30 },
    found: /1\.0 of 200 GiB free/,
    fixes: [/free space/, /XDG_DATA_HOME/],
  },
  'a disk with too little room to build binaries': {
    id: 'disk-space',
    status: 'warning',
    host: { available: 11 * 2 ** 30 },
    found: /11\.0 of 200 GiB free/,
    fixes: [/free space/, /XDG_DATA_HOME/],
  },
  'port 6443 taken': {
    id: 'api-port',
    status: 'blocked',
    host: { listenFault: 'EADDRINUSE', portHolder: 'nginx (pid 4711)' },
    found: /127\.0\.0\.1:6443 is taken by nginx \(pid 4711\)/,
    fixes: [/^end nginx/, /--api-port 6444$/],
  },
  'port 6443 taken by somebody whom we cannot see': {
    id: 'api-port',
    status: 'blocked',
    host: { listenFault: 'EADDRINUSE' },
    found: /127\.0\.0\.1:6443 is taken by another program/,
    fixes: [/^end it/, /--api-port 6444$/],
  },
  'a port that only root may have': {
    id: 'api-port',
    status: 'blocked',
    host: { listenFault: 'EACCES' },
    context: { api: { address: '127.0.0.1', port: 443 } },
    found: /127\.0\.0\.1:443 is a port that the kernel reserves for root/,
    fixes: [/--api-port 6443$/, /ip_unprivileged_port_start=443$/],
  },
  'an address that the host does not have': {
    id: 'api-port',
    status: 'blocked',
    host: { listenFault: 'EADDRNOTAVAIL' },
    context: { api: { address: '192.0.2.1', port: 6443 } },
    found: /this host has no address 192\.0\.2\.1/,
    fixes: [/ip -brief address/],
  },
  "another engine's docker.sock": {
    id: 'docker-socket',
    status: 'blocked',
    host: { unixSocket: 'served' },
    found: /another engine listens on \/run\/user\/1000\/docker\.sock/,
    fixes: [
      /systemctl --user stop docker$/,
      u7s(['--cluster', 'NAME', 'up', 'default-docker'], {
        text: 'start an instance with a socket of its own',
      }),
    ],
  },
  'a docker.sock that is a file': {
    id: 'docker-socket',
    status: 'blocked',
    host: { unixSocket: 'not a socket' },
    found: /docker\.sock is not a socket/,
    fixes: [/rm \/run\/user\/1000\/docker\.sock/],
  },
  'a state folder that belongs to somebody else': {
    id: 'home-folders',
    status: 'blocked',
    host: { closedFolders: ['/home/alice/.local/state'] },
    found: /alice cannot write in \/home\/alice\/\.local\/state/,
    fixes: [/as root: chown alice \/home\/alice\/\.local\/state$/, /XDG_STATE_HOME/],
  },
};

for (const [name, fault] of Object.entries(faults)) {
  test(`${name}: ${fault.status}, with the fix`, async (t) => {
    const checks = await preflight(preparedContext({ host: fakeHost(fault.host), ...fault.context }));
    const check = checks.find(({ id }) => id === fault.id);
    t.is(check?.status, fault.status);
    t.regex(check?.found ?? '', fault.found);
    likeFixes(t, check?.fixes, fault.fixes);
  });
}

test('Fedora’s newuidmap, with file capabilities in place of the setuid bit, is fine', async (t) => {
  const host = fakeHost({ stats: { '/usr/bin/newuidmap': owned(0o100755) } });
  t.like(await find('newuidmap', host), { status: 'ok', found: '/usr/bin/newuidmap, file capabilities' });
});

test('where there are no namespaces, what was not tried in them is unknown', async (t) => {
  const checks = await preflight(preparedContext(tried(refused('unshare failed'))));
  const statusOf = (id: string): string | undefined => checks.find((check) => check.id === id)?.status;
  t.is(statusOf('user-namespace'), 'blocked');
  for (const id of ['overlay', 'owners', 'proc', 'network-devices', 'vxlan', 'br-netfilter', 'netfilter'])
    t.is(statusOf(id), 'unknown');
});

test('one fault is reported once: what follows from it is unknown', async (t) => {
  const helper = preparedContext({
    host: fakeHost(without('newuidmap')),
    ...tried(refused('cannot run newuidmap: ENOENT')),
  });
  const blocking = (checks: Check[]): string[] =>
    checks.filter(({ status }) => status === 'blocked').map(({ id }) => id);
  t.deepEqual(blocking(await preflight(helper)), ['newuidmap']);
  const lent = preparedContext({
    user: { ...user, subUids: [], subGids: [] },
    ...tried(trial({ owners: 'chown: Invalid argument' })),
  });
  t.deepEqual(blocking(await preflight(lent)), ['sub-ids']);
});

const managers: Record<string, { programs: string[]; release?: string; fix: RegExp }> = {
  Fedora: { programs: ['dnf'], fix: /^sudo dnf install shadow-utils$/ },
  'openSUSE with dnf installed': {
    programs: ['dnf', 'zypper'],
    release: 'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n',
    fix: /^sudo zypper install shadow$/,
  },
  Arch: { programs: ['pacman'], release: 'ID=arch\n', fix: /^sudo pacman -S shadow$/ },
  'another distribution': { programs: [], fix: /^install what Debian packages as uidmap$/ },
};
for (const [name, { programs, release, fix }] of Object.entries(managers)) {
  test(`${name}: the fix for a missing program is its own`, async (t) => {
    const host = fakeHost({ programs, files: { '/etc/os-release': release } });
    likeFixes(t, (await find('newuidmap', host))?.fixes, [prepare, fix]);
  });
}

test('iptables on nf_tables with room enough is fine', async (t) => {
  const checks = await preflight(
    preparedContext({
      host: fakeHost({ files: { '/proc/sys/net/core/wmem_default': '4194304\n' } }),
      ...tried(trial({ 'iptables-legacy': 'not found' })),
    }),
  );
  t.like(
    checks.find(({ id }) => id === 'netfilter'),
    {
      status: 'ok',
      found: 'iptables, on nf_tables; a message of 4096 KiB holds the rules of about 984 Services',
    },
  );
});

test('the port is fine when the cluster itself has it', async (t) => {
  const checks = await preflight(
    preparedContext({ host: fakeHost({ listenFault: 'EADDRINUSE' }), api: undefined }),
  );
  t.is(checks.find(({ id }) => id === 'api-port')?.status, 'ok');
});

test('a start checks everything that can block it but Node.js, on which we run, and the kernel', async (t) => {
  const all = (await preflight(preparedContext())).map(({ id }) => id);
  const atStart = (await preflightForUp(preparedContext())).map(({ id }) => id);
  t.deepEqual(
    Object.values(faults)
      .filter(({ id, status }) => status === 'blocked' && !atStart.includes(id))
      .map(({ id }) => id),
    ['node', 'node', 'kernel'],
  );
  t.true(atStart.every((id) => all.includes(id)));
});

test('requireHost throws one error with everything that blocks, and each fix once', (t) => {
  const check = (title: string, status: Check['status'], ...fixes: Fix[]): Check => ({
    id: title,
    title,
    status,
    found: 'gone',
    why: 'it matters',
    fixes,
  });
  const error = t.throws(
    () =>
      requireHost([
        check('a', 'blocked', u7s(['init-host']), 'do x'),
        check('b', 'warning', 'do y'),
        check('c', 'blocked', u7s(['init-host']), 'do z'),
      ]),
    { instanceOf: U7sError },
  );
  t.is(error.message, 'this host is not ready for a node:\n  a: gone (it matters)\n  c: gone (it matters)');
  t.is(error.code, 'host-not-ready');
  t.deepEqual(error.fixes, [u7s(['init-host']), 'do x', 'do z']);
});

test('a check that itself fails is a warning, and does not hide the others', async (t) => {
  const host = { ...fakeHost(), space: () => Promise.reject(new Error('stale file handle')) };
  t.like(await find('disk-space', host), {
    status: 'warning',
    found: 'cannot be checked: stale file handle',
  });
});

async function find(id: string, host: CheckContext['host']): Promise<Check | undefined> {
  return (await preflight(preparedContext({ host }))).find((check) => check.id === id);
}
