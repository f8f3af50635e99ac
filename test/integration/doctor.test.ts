/**
 * doctor, on this host with one thing broken: as root in mount and network namespaces of its own, so that nothing of the
 * host itself is touched and doctor meets the fault as it would elsewhere.
 */
import test, { type ExecutionContext } from 'ava';
import type { Account } from '#src/host/account.js';
import { prepare, type Check } from '#src/host/check.js';
import type { Fix } from '#src/lib/fixes.js';
import { likeFixes } from '../like-fixes.js';
import { makeUser, needsRoot, removeUser, u7s } from '../ordinary-user.js';

const name = 'u7s-doctor-test';
let account: Account;

const asRoot = needsRoot === undefined ? test.serial : test.serial.skip;

test.before(async () => {
  if (needsRoot === undefined) account = await makeUser(name);
});
test.after.always(async () => {
  if (needsRoot === undefined) await removeUser(name);
});

/** As `doctor -o json` prints a check. */
type ToldCheck = Omit<Check, 'fixes'> & { fixes: { fix: Fix; text: string }[] };

type Fault = {
  /** For root's sh, in the namespaces. */
  broken: string;
  id: string;
  status: 'warning' | 'blocked';
  found: RegExp;
  /** All of them, in this order; those in words by what they contain. */
  fixes: (Fix | RegExp)[];
};

/** Covers a file with another of this content and mode. */
const cover = (path: string, content: string, mode = '0644'): string =>
  `printf '${content}' >/mnt/cover && chmod ${mode} /mnt/cover && mount --bind /mnt/cover ${path}`;

const lent = (count: number, start = 400_000_000): string => `${name}:${start}:${count}\\n`;

/** The limit is each user namespace's own: in one that has every ID of the host. */
const noMoreNamespaces = `inside() {
  mkfifo /mnt/mapped
  unshare --user sh -c 'read -r _ </mnt/mapped; exec sh -c "$@"' sh \\
    'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"' sh "$@" &
  while [ "$(readlink /proc/$!/ns/user)" = "$(readlink /proc/$$/ns/user)" ]; do sleep 0.01; done
  for map in uid_map gid_map; do echo 0 0 4294967295 >/proc/$!/$map; done
  echo >/mnt/mapped
  wait $!
}`;

const faults: Record<string, Fault> = {
  'sub-IDs are few': {
    broken: cover('/etc/subuid', lent(1000)),
    id: 'sub-ids',
    status: 'blocked',
    found: RegExp(`^${name} has 1000 in /etc/subuid; 65536 are needed$`),
    fixes: [prepare],
  },
  'the same sub-IDs are lent twice': {
    broken: cover('/etc/subgid', lent(65_536) + lent(65_536)),
    id: 'sub-ids',
    status: 'blocked',
    found: /lends u7s-doctor-test the same IDs twice/,
    fixes: [/remove one of these lines from \/etc\/subgid/],
  },
  'another user has the same sub-IDs': {
    broken: cover('/etc/subuid', `${lent(65_536)}nobody:400000100:1\\n`),
    id: 'sub-id-overlap',
    status: 'warning',
    found: /nobody:400000100:1 overlap/,
    fixes: [/\/etc\/subuid/],
  },
  'newuidmap is not executable': {
    broken: 'mount --bind /dev/null /usr/bin/newuidmap',
    id: 'newuidmap',
    status: 'blocked',
    found: /^not installed$/,
    fixes: [prepare, /install \S+/],
  },
  'newuidmap has lost its setuid bit': {
    broken:
      'cp /usr/bin/newuidmap /mnt/copy && chmod 0755 /mnt/copy && mount --bind /mnt/copy /usr/bin/newuidmap',
    id: 'newuidmap',
    status: 'blocked',
    found: /neither setuid nor file capabilities/,
    fixes: [/^sudo chmod u\+s \/usr\/bin\/newuidmap$/],
  },
  'newuidmap is on a file system mounted nosuid': {
    broken: 'mount --bind /usr/bin /usr/bin && mount -o remount,bind,nosuid /usr/bin',
    id: 'user-namespace',
    status: 'blocked',
    found: /newuidmap: .*Operation not permitted/,
    fixes: [prepare],
  },
  'user namespaces are used up': {
    broken: noMoreNamespaces,
    id: 'user-namespace',
    status: 'blocked',
    found: /No space left on device \(user\.max_user_namespaces = 0\)/,
    fixes: [prepare],
  },
  'no_new_privs is set': {
    broken: 'inside() { exec setpriv --no-new-privs "$@"; }',
    id: 'user-namespace',
    status: 'blocked',
    found: /\(no_new_privs is set for this process/,
    fixes: [/login shell/],
  },
  'the state lies on an overlay, as in a container without a volume, and there is no fuse-overlayfs': {
    broken: `mount --bind /bin/false $(command -v fuse-overlayfs) && mkdir -p /mnt/o/upper /mnt/o/work && chown ${name} /mnt/o/upper && mount -t overlay overlay -o lowerdir=$home,upperdir=/mnt/o/upper,workdir=/mnt/o/work $home`,
    id: 'overlay',
    status: 'warning',
    found: /^images are copied whole, since overlayfs failed: mount: /,
    fixes: [prepare, /XDG_STATE_HOME/],
  },
  'parts of /proc are covered, as in a container': {
    broken: 'mount -t tmpfs none /proc/irq',
    id: 'proc',
    status: 'blocked',
    found: /mount: .*\/proc/,
    fixes: [/systempaths=unconfined/, /mountinfo/],
  },
  'iptables does not work': {
    broken:
      'for each in iptables iptables-legacy nft; do path=$(command -v $each) && mount --bind /bin/false "$path"; done; true',
    id: 'netfilter',
    status: 'blocked',
    found: /^iptables: failed; nft: /,
    fixes: [prepare, /modprobe -a ip_tables/],
  },
  'iptables can only use nf_tables': {
    broken: 'mount --bind /bin/false "$(command -v iptables-legacy)"',
    id: 'netfilter',
    status: 'warning',
    found: /^iptables, on nf_tables; a message of \d+ KiB holds the rules of about \d+ Services$/,
    fixes: [prepare, /net\.core\.wmem_default=4194304/],
  },
  'ip makes no bridge': {
    broken: cover(
      '"$(command -v ip)"',
      '#!/bin/sh\\necho "Error: Unknown device type." >&2; exit 2\\n',
      '0755',
    ),
    id: 'network-devices',
    status: 'blocked',
    found: /Unknown device type/,
    fixes: [/modprobe -a bridge veth/, /kernel/],
  },
  '/dev/net/tun is closed': {
    broken: cover('/dev/net/tun', '', '0600'),
    id: 'tun',
    status: 'blocked',
    found: /EACCES/,
    fixes: [prepare, /chmod 0666 \/dev\/net\/tun/],
  },
  '/dev/fuse is closed': {
    broken: cover('/dev/fuse', '', '0600'),
    id: 'fuse',
    status: 'warning',
    found: /EACCES/,
    fixes: [prepare, /chmod 0666 \/dev\/fuse/],
  },
  'slirp4netns is missing': {
    broken: 'mount --bind /dev/null "$(command -v slirp4netns)"',
    id: 'slirp4netns',
    status: 'blocked',
    found: /^not installed$/,
    fixes: [prepare, /install slirp4netns/],
  },
  'ping is closed': {
    broken: 'echo 1 0 >/proc/sys/net/ipv4/ping_group_range',
    id: 'ping-group-range',
    status: 'warning',
    found: /ping_group_range = 1 0/,
    fixes: [prepare],
  },
  'most ports are root’s': {
    broken: 'echo 32000 >/proc/sys/net/ipv4/ip_unprivileged_port_start',
    id: 'low-ports',
    status: 'warning',
    found: /^ports from 32000 on/,
    fixes: [/ip_unprivileged_port_start=1024/],
  },
  'the port of the API is root’s': {
    broken: 'echo 32000 >/proc/sys/net/ipv4/ip_unprivileged_port_start',
    id: 'api-port',
    status: 'blocked',
    found: /:6443 is a port that the kernel reserves for root/,
    fixes: [/--api-port 6443/, /ip_unprivileged_port_start=6443/],
  },
  'few inotify instances are allowed': {
    broken: cover('/proc/sys/fs/inotify/max_user_instances', '128\\n'),
    id: 'inotify',
    status: 'warning',
    found: /^fs\.inotify\.max_user_instances = 128: enough for about 51 pods$/,
    fixes: [prepare],
  },
  'few keyrings are allowed': {
    broken: cover('/proc/sys/kernel/keys/maxkeys', '200\\n'),
    id: 'keyrings',
    status: 'warning',
    found: /^kernel\.keys\.maxkeys = 200: enough for about 100 pods$/,
    fixes: [prepare],
  },
  'the home forbids execution': {
    broken: 'mount --bind $home $home && mount -o remount,bind,noexec $home',
    id: 'home',
    status: 'blocked',
    found: RegExp(`/home/${name} is mounted noexec`),
    fixes: [/XDG_DATA_HOME/],
  },
  'the disk is full': {
    broken: `install -d -o ${name} $home/.local $home/.local/state && mount -t tmpfs -o size=1g none $home/.local/state && chown ${name} $home/.local/state`,
    id: 'disk-space',
    status: 'blocked',
    found: /^1\.0 of 1 GiB free$/,
    fixes: [/free space/, /XDG_DATA_HOME/],
  },
  'there is swap on a disk': {
    broken: cover('/proc/swaps', 'Filename Type Size Used Priority\\n/dev/vdz partition 1 0 -2\\n'),
    id: 'swap',
    status: 'warning',
    found: /^on \/dev\/vdz, not encrypted$/,
    fixes: [/^sudo swapoff \/dev\/vdz$/, /encrypt/],
  },
  'the kernel is old': {
    broken: cover('/proc/sys/kernel/osrelease', '5.4.0-generic\\n'),
    id: 'kernel',
    status: 'warning',
    found: /^5\.4\.0-generic$/,
    fixes: [/5\.11/],
  },
};

for (const [what, fault] of Object.entries(faults)) {
  asRoot(`${what}: ${fault.status}, with the fix (needs root)`, async (t) => {
    const { exitCode, checks } = await doctor(t, fault.broken);
    const check = checks.find(({ id }) => id === fault.id);
    t.is(check?.status, fault.status, JSON.stringify(check));
    t.regex(check?.found ?? '', fault.found);
    likeFixes(
      t,
      check?.fixes.map(({ fix }) => fix),
      fault.fixes,
    );
    for (const { fix, text } of check?.fixes ?? [])
      t.true(typeof fix === 'string' ? text === fix : text.endsWith('bin/u7s.js init-host'), text);
    const anyBlocks = checks.some(({ status }) => status === 'blocked');
    t.is(exitCode, anyBlocks ? 1 : 0);
    if (fault.status === 'blocked') t.true(anyBlocks);
  });
}

asRoot('where nothing is broken nothing blocks (needs root)', async (t) => {
  const { exitCode, checks } = await doctor(t, 'true');
  t.deepEqual(
    checks.filter(({ status }) => status === 'blocked'),
    [],
  );
  t.is(exitCode, 0);
});

asRoot('a start refuses a host that cannot make namespaces, in the same words (needs root)', async (t) => {
  const fault = faults['no_new_privs is set'];
  const { exitCode, stderr } = await inside(fault?.broken ?? '', ['up', '--cluster', 'doctor-test']);
  t.is(exitCode, 1);
  t.regex(stderr, /error\[host-not-ready\]: .*\n.*no_new_privs is set/);
  t.regex(stderr, /fix: .*login shell/s);
});

async function doctor(
  t: ExecutionContext,
  broken: string,
): Promise<{ exitCode: number | null; checks: ToldCheck[] }> {
  const { exitCode, stdout, stderr } = await inside(broken, [
    'doctor',
    '-o',
    'json',
    '--cluster',
    'doctor-test',
  ]);
  t.truthy(stdout, stderr);
  return { exitCode, checks: JSON.parse(stdout) as ToldCheck[] };
}

/** `u7s` where `broken` has run; that may define `inside`, by which the command is then run. */
function inside(broken: string, args: string[]): ReturnType<typeof u7s>['ended'] {
  const script = `mount -t tmpfs none /mnt; ip link set lo up; inside() { exec "$@"; }; home=$1; shift; ${broken} || exit 99; inside "$@"`;
  const wrapper = ['unshare', '--mount', '--net', 'sh', '-c', script, 'sh', account.home];
  return u7s(account, args, { inside: wrapper }).ended;
}
