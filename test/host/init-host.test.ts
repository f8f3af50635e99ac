import test from 'ava';
import { gatherFacts } from '#src/host/facts.js';
import type { RuntimeProgram } from '#src/host/packages.js';
import { planInitHost, renderScript, runInitHost, type InitStep } from '#src/host/init-host.js';
import { U7sError } from '#src/lib/errors.js';
import type { Event } from '#src/lib/events.js';
import { likeFixes } from '../like-fixes.js';
import { fakeHost, owned, preparedMachine, type Changes } from './fake-host.js';

async function planFor(
  changes: Changes,
  {
    user = 'alice',
    buildTools = false,
    runtimePrograms = [],
  }: { user?: string; buildTools?: boolean; runtimePrograms?: RuntimeProgram[] } = {},
): Promise<InitStep[]> {
  const facts = await gatherFacts(fakeHost(changes), { user, buildTools, runtimePrograms });
  return planInitHost(facts, { user });
}

/** A machine on which nothing was ever done. */
const fresh: Changes = {
  programs: ['apt-get', 'mount', 'nsenter', 'unshare', 'setpriv', 'script'],
  files: {
    '/etc/subuid': undefined,
    '/etc/subgid': undefined,
    '/proc/sys/net/ipv4/ping_group_range': '1\t0\n',
    '/proc/sys/fs/inotify/max_user_instances': '128\n',
    '/proc/sys/fs/inotify/max_user_watches': '1000000\n',
    '/proc/sys/kernel/keys/maxkeys': '200\n',
  },
  stats: {
    '/dev/net/tun': owned(0o020600),
    '/dev/fuse': undefined,
    '/run/user/1000': undefined,
  },
  answers: {},
};

test('a prepared host needs nothing', async (t) => {
  t.deepEqual(await planFor({}), []);
  t.is(renderScript([]), '#!/bin/sh\n# This host is prepared: there is nothing to do.\n');
});

test('what a container runtime needs of the host is installed where it is missing, for that runtime alone', async (t) => {
  const runtimePrograms: RuntimeProgram[] = ['conmon', 'skopeo'];
  const has: Changes = { programs: [...preparedMachine.programs, 'conmon'] };
  t.deepEqual(await planFor(has), []);
  const [step, ...others] = await planFor(has, { runtimePrograms });
  t.is(step?.title, 'packages skopeo');
  t.deepEqual(others, []);
});

test('a fresh Debian without systemd', async (t) => {
  t.is(
    renderScript(await planFor(fresh, { user: 'usernetes' })),
    `#!/bin/sh
# Prepares this host for rootless Kubernetes; run it as root.
set -eu

# packages fuse-overlayfs iproute2 iptables keyutils procps slirp4netns uidmap
export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=60 fuse-overlayfs iproute2 iptables keyutils procps slirp4netns uidmap || { apt-get update && apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=60 fuse-overlayfs iproute2 iptables keyutils procps slirp4netns uidmap; }

# ordinary user usernetes
id -u usernetes >/dev/null 2>&1 || useradd --create-home --shell /bin/bash usernetes

# sub-IDs of usernetes
[ -e /etc/subuid ] || install -m 0644 /dev/null /etc/subuid
awk -F: '$1 == "usernetes" { n += $3 } END { exit n < 65536 }' /etc/subuid || usermod --add-subuids 100000-165535 usernetes
[ -e /etc/subgid ] || install -m 0644 /dev/null /etc/subgid
awk -F: '$1 == "usernetes" { n += $3 } END { exit n < 65536 }' /etc/subgid || usermod --add-subgids 100000-165535 usernetes

# access to /dev/net/tun /dev/fuse
[ -e /dev/net/tun ] || { mkdir -p /dev/net; mknod /dev/net/tun c 10 200; }
chmod 0666 /dev/net/tun
[ -e /dev/fuse ] || { mkdir -p /dev; mknod /dev/fuse c 10 229; }
chmod 0666 /dev/fuse

# kernel settings (3 to change)
mkdir -p /etc/sysctl.d
cat >/etc/sysctl.d/99-usernetes.conf <<'EOF'
user.max_user_namespaces=63424
net.ipv4.ping_group_range=0 2147483647
fs.inotify.max_user_instances=1024
fs.inotify.max_user_watches=1000000
kernel.keys.maxkeys=2000
kernel.keys.maxbytes=2000000
EOF
sysctl -q -w 'net.ipv4.ping_group_range=0 2147483647'
sysctl -q -w 'fs.inotify.max_user_instances=1024'
sysctl -q -w 'kernel.keys.maxkeys=2000'

# runtime directory of usernetes
install -d -m 0755 /run/user
install -d -m 0700 -o usernetes -g "$(id -g usernetes)" "/run/user/$(id -u usernetes)"
`,
  );
});

test('a fresh Fedora: dnf, its names of packages, modules and systemd', async (t) => {
  const steps = await planFor({
    programs: [
      'dnf',
      'mount',
      'nsenter',
      'unshare',
      'setpriv',
      'script',
      'ip',
      'ps',
      'sysctl',
      'newuidmap',
      'newgidmap',
    ],
    stats: {
      '/run/systemd/system': owned(0o040755),
      '/proc/sys/net/bridge/bridge-nf-call-iptables': undefined,
    },
  });
  t.deepEqual(
    steps.map(({ id, script }) => [id, script]),
    [
      [
        'packages',
        'dnf install -y --setopt=install_weak_deps=False fuse-overlayfs iptables-nft keyutils kmod slirp4netns',
      ],
      [
        'modules',
        `modprobe -a br_netfilter
mkdir -p /etc/modules-load.d
cat >/etc/modules-load.d/usernetes.conf <<'EOF'
br_netfilter
EOF`,
      ],
      [
        'delegation',
        `mkdir -p /etc/systemd/system/user@.service.d
cat >/etc/systemd/system/user@.service.d/usernetes.conf <<'EOF'
[Service]
Delegate=cpu cpuset io memory pids
EOF
systemctl daemon-reload`,
      ],
      ['linger', 'loginctl enable-linger alice'],
    ],
  );
});

test('newuidmap and newgidmap that have lost their privileges, as in images of Fedora, become setuid', async (t) => {
  const plain = owned(0o100755);
  const stats = { '/usr/bin/newuidmap': plain, '/usr/bin/newgidmap': plain };
  const step = { id: 'map-helpers', script: 'chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap' };
  const [first, ...others] = await planFor({ stats });
  t.like(first, step);
  t.deepEqual(others, []);

  const programs = [...preparedMachine.programs, 'getcap'];
  t.like((await planFor({ stats, programs }))[0], step);
  const answers = {
    ...preparedMachine.answers,
    '/usr/bin/getcap /usr/bin/newuidmap': '/usr/bin/newuidmap cap_setuid=ep',
    '/usr/bin/getcap /usr/bin/newgidmap': '/usr/bin/newgidmap cap_setgid=ep',
  };
  t.deepEqual(await planFor({ stats, programs, answers }), []);
});

const nothingOfOurs: Changes = {
  programs: ['mount', 'nsenter', 'unshare', 'setpriv', 'script', 'ip', 'ps', 'sysctl'],
};
const packageScripts: Record<string, { manager: string; script: string }> = {
  openSUSE: {
    manager: 'zypper',
    script:
      'zypper --non-interactive install --no-recommends fuse-overlayfs iptables keyutils shadow slirp4netns',
  },
  Arch: {
    manager: 'pacman',
    script:
      "pacman -S --needed --noconfirm fuse-overlayfs iptables keyutils shadow slirp4netns || { echo 'run pacman -Syu first'; exit 1; }",
  },
};
for (const [name, { manager, script }] of Object.entries(packageScripts)) {
  test(`packages on ${name}`, async (t) => {
    const [step] = await planFor({ programs: [...(nothingOfOurs.programs ?? []), manager] });
    t.is(step?.script, script);
  });
}

test('where Ubuntu’s AppArmor restricts namespaces, RootlessKit of the user alone is exempted, and once', async (t) => {
  const files = { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' };
  const [step, ...others] = await planFor({ files });
  t.deepEqual(others, []);
  t.is(step?.id, 'apparmor');
  const profile = `abi <abi/4.0>,
include <tunables/global>

profile usernetes-alice "/home/alice/{,**/}{artifacts/rootlesskit/*/bin/rootlesskit,.usernetes-trial-*/unshare}" flags=(unconfined) {
  userns,

  include if exists <local/usernetes-alice>
}
`;
  const path = '/etc/apparmor.d/usernetes-alice';
  t.is(step?.script, `echo '${profile.trimEnd()}' >${path} && apparmor_parser --replace ${path}`);
  t.deepEqual(await planFor({ files: { ...files, [path]: profile } }), []);
});

test('where there is no legacy iptables, changes of a thousand Services get room in nf_tables', async (t) => {
  const files = { '/proc/sys/net/core/wmem_default': '212992\n' };
  t.deepEqual(await planFor({ files }), [], 'Debian has the legacy programs, and this kernel the module');
  const [step] = await planFor({ files, programs: fedora });
  t.regex(step?.script ?? '', /^sysctl -q -w 'net\.core\.wmem_default=4194304'$/m);
  t.deepEqual(await planFor({ files, programs: [...fedora, 'iptables-legacy'] }), []);
});
const fedora = [...preparedMachine.programs.filter((program) => program !== 'apt-get'), 'dnf'];

test('a systemd host that delegates already, by whichever drop-in, only lacks linger', async (t) => {
  const stats = { '/run/systemd/system': owned(0o040755) };
  for (const controllers of ['pids memory io cpuset cpu', 'yes']) {
    const steps = await planFor({ stats, files: delegateDropIn(controllers) });
    t.deepEqual(ids(steps), ['linger']);
  }
});

test('a drop-in that leaves out controllers is not enough', async (t) => {
  const stats = {
    '/run/systemd/system': owned(0o040755),
    '/var/lib/systemd/linger/alice': owned(0o100644),
  };
  t.deepEqual(ids(await planFor({ stats, files: delegateDropIn('memory pids') })), ['delegation']);
});

function delegateDropIn(controllers: string): Record<string, string> {
  return { '/etc/systemd/system/user@.service.d/delegate.conf': `[Service]\nDelegate=${controllers}\n` };
}

function ids(steps: InitStep[]): string[] {
  return steps.map(({ id }) => id);
}

test('where udev runs, access to devices outlives the next boot', async (t) => {
  const [step] = await planFor({
    stats: { '/dev/net/tun': owned(0o020600), '/run/udev/control': owned(0o140600) },
  });
  t.true(step?.script.includes('/etc/udev/rules.d/99-usernetes.rules'));
  t.true(step?.script.includes('KERNEL=="tun", MODE="0666"\n'));
  t.true(step?.script.endsWith('udevadm control --reload'));
});

test('sub-IDs are added beside those of others', async (t) => {
  const [step] = await planFor({ files: { '/etc/subuid': 'bob:100000:65536\nalice:165536:10\n' } });
  t.is(step?.id, 'sub-ids');
  t.regex(step?.script ?? '', /--add-subuids 165546-231081 alice$/);
});

test('switched-off user namespaces are switched on, and only where the kernel has the switch', async (t) => {
  const [debian] = await planFor({ files: { '/proc/sys/kernel/unprivileged_userns_clone': '0\n' } });
  t.regex(debian?.script ?? '', /^sysctl -q -w 'kernel\.unprivileged_userns_clone=1'$/m);
  const [fedora] = await planFor({ files: { '/proc/sys/user/max_user_namespaces': '0\n' } });
  t.regex(fedora?.script ?? '', /^sysctl -q -w 'user\.max_user_namespaces=28633'$/m);
  t.notRegex(fedora?.script ?? '', /unprivileged_userns_clone/);
});

test('what building takes is installed on demand only', async (t) => {
  const [step] = await planFor({}, { buildTools: true });
  t.is(step?.title, 'packages ca-certificates gcc libc6-dev libseccomp-dev patch pkg-config');
});

test('root, strange names and a host without a package manager that we know are refused', async (t) => {
  await t.throwsAsync(planFor({}, { user: 'root' }), { instanceOf: U7sError, code: 'is-root' });
  await t.throwsAsync(planFor({}, { user: 'a; reboot' }), {
    instanceOf: U7sError,
    code: 'user-invalid',
  });
  const error = await t.throwsAsync(planFor({ programs: [] }), { instanceOf: U7sError });
  t.is(error.code, 'no-package-manager');
  likeFixes(t, error.fixes, [/slirp4netns uidmap/]);
});

test('a host without a range left for sub-IDs is refused', async (t) => {
  await t.throwsAsync(planFor({ files: { '/etc/subuid': 'greedy:0:600100000\n' } }), {
    code: 'sub-ids-exhausted',
  });
});

test('steps run in order and are reported; the first that fails ends it with its words', async (t) => {
  const events: Event[] = [];
  const error = await t.throwsAsync(
    runInitHost(
      [
        { id: 'one', title: 'one', script: 'echo first' },
        { id: 'two', title: 'two', script: 'echo broken >&2\nfalse\necho not reached' },
        { id: 'three', title: 'three', script: 'true' },
      ],
      {
        env: { PATH: '/usr/bin:/bin' },
        report: (event) => events.push(event),
        signal: new AbortController().signal,
      },
    ),
    { instanceOf: U7sError },
  );
  t.is(error.code, 'init-host-failed');
  t.is(error.message, 'the step "two" failed: broken');
  t.deepEqual(
    events.map((event) => (event.kind === 'step' ? [event.title, event.state, event.detail] : event)),
    [
      ['one', 'started', undefined],
      ['one', 'progress', 'first'],
      ['one', 'done', 'first'],
      ['two', 'started', undefined],
      ['two', 'progress', 'broken'],
      ['two', 'failed', undefined],
    ],
  );
});

test('an interrupted preparation ends at once', async (t) => {
  const controller = new AbortController();
  const reason = new Error('interrupted');
  const running = runInitHost([{ id: 'long', title: 'long', script: 'echo begun\nexec sleep 60' }], {
    env: { PATH: '/usr/bin:/bin' },
    report: (event) => {
      if (event.kind === 'step' && event.state === 'progress') controller.abort(reason);
    },
    signal: controller.signal,
  });
  t.is(await t.throwsAsync(running), reason);
});

test('for the image of a container only what lasts in it is done', async (t) => {
  const facts = await gatherFacts(fakeHost(fresh), {
    user: 'usernetes',
    buildTools: false,
    runtimePrograms: [],
  });
  const steps = planInitHost(facts, { user: 'usernetes', forImage: true });
  t.deepEqual(
    steps.map(({ id }) => id),
    ['packages', 'user', 'sub-ids', 'runtime-dir'],
  );
});
