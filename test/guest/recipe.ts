import { createHash } from 'node:crypto';

/**
 * The guest: a small Debian with systemd, dbus and logind, as a server has them, and a kernel whose only hierarchy of
 * cgroups is v2. What changes from one run to the next is on a second disk, which is mounted at `/opt/usernetes`.
 */
const packages = [
  ...['linux-image-cloud-amd64', 'systemd', 'systemd-sysv', 'udev', 'kmod'],
  ...['dbus', 'dbus-user-session', 'libpam-systemd', 'openssh-server'],
  // What init-host would install: the guest has no network to get it by.
  ...['uidmap', 'slirp4netns', 'iptables', 'iproute2', 'fuse-overlayfs', 'procps', 'keyutils'],
  ...['busybox-static', 'libstdc++6'],
];

export const payloadFolder = '/opt/usernetes';

/** By path; texts of regular files. */
export const files: Record<string, string> = {
  '/etc/hostname': 'guest\n',
  '/etc/hosts': '127.0.0.1 localhost guest\n',
  // Not 10.0.2.0/24, which is the node's inside.
  '/etc/systemd/network/guest.network': '[Match]\nName=en*\n[Network]\nAddress=10.9.0.15/24\n',
  '/etc/ssh/sshd_config.d/guest.conf': 'AuthorizedKeysFile /etc/ssh/authorized_keys\nUseDNS no\n',
};

export const links: Record<string, string> = {
  '/usr/bin/node': `${payloadFolder}/node`,
  '/usr/bin/u7s': `${payloadFolder}/u7s/bin/u7s.js`,
};

/** Runs in the new root file system. Nobody looks at the consoles, and nothing is to wake up in the middle of a test. */
export const setUpScript = `
systemctl enable systemd-networkd
systemctl mask systemd-networkd-wait-online.service getty@.service serial-getty@.service \\
  apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer dpkg-db-backup.timer

version=$(ls /lib/modules)
initrd=$(mktemp -d)
cd "$initrd"
mkdir bin proc dev root
cp /bin/busybox bin/
for module in virtio_pci virtio_blk; do modprobe -S "$version" --show-depends $module; done |
  busybox awk '!seen[$2]++' >insmod
while read -r _ file _; do cp "$file" .; done <insmod
cat >init <<'EOF'
#!/bin/busybox sh
busybox mount -t devtmpfs none /dev
while read -r _ file _; do busybox insmod "\${file##*/}"; done <insmod
until [ -b /dev/vda ] && [ -b /dev/vdb ]; do busybox sleep 0.1; done
busybox mount -t ext4 /dev/vda /root
busybox mount -t ext4 /dev/vdb /root${payloadFolder}
busybox umount /dev
exec busybox switch_root /root /sbin/init
EOF
chmod +x init
mkdir -p ${payloadFolder}
busybox find . | busybox cpio -o -H newc >/boot/initrd
mv "/boot/vmlinuz-$version" /boot/vmlinuz
rm -rf "$initrd"
`;

/** How mmdebstrap is called, but for the suite, the target and where the packages come from. */
export const mmdebstrapArgs = [
  '--variant=minbase',
  `--include=${packages.join(',')}`,
  ...['doc', 'man', 'locale'].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
];

/** Two guests with the same are the same. */
export function recipeKey(): string {
  const recipe = JSON.stringify([mmdebstrapArgs, files, links, setUpScript]);
  return createHash('sha256').update(recipe).digest('hex').slice(0, 12);
}
