import { blocked, ok, prepare, unknown, warning, type CheckDefinition } from '../check.js';
import type { Host } from '../host.js';
import { isSetuid, mapHelpers } from '../map-helpers.js';
import { installFixes } from '../packages.js';
import { explainRefusal } from '../refusal.js';
import { deviceFault } from './device.js';
import { containerFixes, notTried, probed } from './probed.js';

export const namespaceChecks: CheckDefinition[] = [
  ...mapHelpers.map((helper): CheckDefinition => ({
    id: helper,
    title: helper,
    why: 'it maps sub-IDs into the user namespace, which only root may do',
    atStart: true,
    look: async ({ host, namespaceTrial }) => {
      const path = await host.which(helper);
      if (path === undefined) return blocked('not installed', ...(await installFixes(host, helper)));
      if (await isSetuid(host, path)) return ok(`${path}, setuid`);
      // Fedora and openSUSE give it file capabilities instead; only its use shows whether it has them.
      const { refused } = await namespaceTrial();
      if (refused?.startsWith(helper) !== true) return ok(`${path}, file capabilities`);
      return blocked(
        `${path} has no privileges: neither setuid nor file capabilities`,
        `sudo chmod u+s ${path}`,
      );
    },
  })),
  {
    id: 'user-namespace',
    title: 'user namespaces',
    why: 'everything runs as root of a user namespace of its own',
    atStart: true,
    look: async (context) => {
      const missing = await missingHelper(context.host);
      if (missing !== undefined) return unknown(`not tried: ${missing} is missing`);
      const { refused } = await context.namespaceTrial();
      if (refused === undefined) return ok('created one with all sub-IDs');
      const refusal = await explainRefusal(context);
      if (refusal === undefined) return blocked(refused, prepare);
      return blocked(`${refused} (${refusal.cause})`, ...refusal.fixes);
    },
  },
  {
    id: 'overlay',
    title: 'overlay file system',
    why: 'container images are layers, one on top of another',
    atStart: false,
    look: async ({ namespaceTrial }) => {
      const { refused, faults } = await namespaceTrial();
      if (refused !== undefined) return notTried;
      const { overlay, fuse } = faults;
      if (overlay === undefined) return ok('overlayfs mounts in a user namespace');
      if (fuse === undefined) return ok(`fuse-overlayfs, since overlayfs failed: ${overlay}`);
      return warning(
        `images are copied whole, since overlayfs failed: ${overlay}, and fuse-overlayfs: ${fuse}`,
        prepare,
        'set XDG_STATE_HOME to a folder on a local ext4, xfs or btrfs file system, and boot Linux 5.11 or newer',
      );
    },
  },
  probed('owners', {
    title: 'owners of files',
    why: 'files of containers belong to sub-IDs, which network file systems refuse',
    probes: ['owners'],
    works: 'files can belong to sub-IDs',
    otherwise: (said, { user }) =>
      user.subUids.length === 0 || user.subGids.length === 0
        ? unknown('not tried: this user has no sub-IDs')
        : blocked(said, 'set XDG_STATE_HOME to a folder on a local file system'),
  }),
  probed('proc', {
    title: '/proc and /sys',
    why: 'each container gets its own, which the kernel refuses when parts of the host’s are covered',
    probes: ['proc', 'sysfs'],
    works: 'can be mounted in namespaces',
    otherwise: (said) => blocked(said, ...containerFixes),
  }),
  {
    id: 'fuse',
    title: '/dev/fuse',
    why: 'fuse-overlayfs needs it, which CRI-O uses where the kernel’s overlayfs does not work',
    atStart: false,
    look: async ({ host, namespaceTrial }) => {
      const fault = await deviceFault(host, '/dev/fuse');
      if (fault !== undefined) return warning(...fault);
      const { refused, faults } = await namespaceTrial();
      if (refused !== undefined) return ok('can be opened');
      return faults.fuse === undefined ? ok('fuse-overlayfs works') : warning(faults.fuse, prepare);
    },
  },
  {
    id: 'selinux',
    title: 'SELinux',
    why: 'a confined user may not create namespaces or run programs from the home',
    atStart: false,
    look: async ({ host, user }) => {
      const enforcing = (await host.read('/sys/fs/selinux/enforce'))?.trim();
      if (enforcing === undefined) return ok('not enabled');
      if (enforcing !== '1') return ok('permissive');
      const context = ((await host.read('/proc/self/attr/current')) ?? '').replace('\0', '').trim();
      const type = context.split(':')[2] ?? '';
      return type.startsWith('unconfined_')
        ? ok(`enforcing, and this user is unconfined`)
        : warning(
            `enforcing, and this user is confined as ${context}`,
            `sudo semanage login --add --seuser unconfined_u ${user.name}, then log in again`,
          );
    },
  },
];

async function missingHelper(host: Host): Promise<string | undefined> {
  const paths = await Promise.all(mapHelpers.map((helper) => host.which(helper)));
  return mapHelpers.find((_, index) => paths[index] === undefined);
}
