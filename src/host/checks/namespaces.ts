import { blocked, ok, prepareFix, unknown, warning, type CheckDefinition } from '../check.js';
import type { Host } from '../host.js';
import { isSetuid, mapHelpers } from '../map-helpers.js';
import { installFix } from '../packages.js';
import { explainRefusal } from '../refusal.js';
import { containerFix, notTried, probed } from './probed.js';

export const namespaceChecks: CheckDefinition[] = [
  ...mapHelpers.map((helper): CheckDefinition => ({
    id: helper,
    title: helper,
    why: 'it maps the sub-IDs into the user namespace, which only root may do',
    atStart: true,
    look: async ({ host, namespaceTrial }) => {
      const path = await host.which(helper);
      if (path === undefined) return blocked('not installed', await installFix(host, helper));
      if (await isSetuid(host, path)) return ok(`${path}, setuid`);
      // Fedora and openSUSE give it file capabilities instead; whether it has them shows when it is used.
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
      if (missing !== undefined) return unknown(`not tried, for lack of ${missing}`);
      const { refused } = await context.namespaceTrial();
      if (refused === undefined) return ok('made one with all sub-IDs');
      const { cause, fix } = (await explainRefusal(context)) ?? { fix: prepareFix };
      return blocked(cause === undefined ? refused : `${refused} (${cause})`, fix);
    },
  },
  {
    id: 'overlay',
    title: 'overlay file system',
    why: 'container images are stacked layers',
    atStart: false,
    look: async ({ namespaceTrial }) => {
      const { refused, faults } = await namespaceTrial();
      if (refused !== undefined) return notTried;
      const { overlay, fuse } = faults;
      if (overlay === undefined) return ok('overlayfs mounts in a user namespace');
      if (fuse === undefined) return ok(`fuse-overlayfs, since overlayfs refused: ${overlay}`);
      return warning(
        `images are copied whole, since overlayfs refused: ${overlay}, and fuse-overlayfs: ${fuse}`,
        `${prepareFix}, or set XDG_STATE_HOME to a folder on a local ext4, xfs or btrfs file system, and use a kernel of 5.11 or newer`,
      );
    },
  },
  probed('owners', {
    title: 'owners of files',
    why: 'files of containers belong to sub-IDs, which network file systems refuse',
    probes: ['owners'],
    works: 'files can be given to sub-IDs',
    otherwise: (said, { user }) =>
      user.subUids.length === 0 || user.subGids.length === 0
        ? unknown('not tried, for lack of sub-IDs')
        : blocked(said, 'set XDG_STATE_HOME to a folder on a local file system'),
  }),
  probed('proc', {
    title: '/proc and /sys',
    why: 'each container gets its own, which the kernel refuses where those of the host are covered in part',
    probes: ['proc', 'sysfs'],
    works: 'mount in namespaces',
    otherwise: (said) => blocked(said, containerFix),
  }),
  {
    id: 'fuse',
    title: '/dev/fuse',
    why: 'fuse-overlayfs needs it, which CRI-O uses where the kernel’s overlayfs cannot be used',
    atStart: false,
    look: async ({ host, namespaceTrial }) => {
      const fault = await host.openFault('/dev/fuse');
      if (fault === 'ENOENT') return warning('does not exist', prepareFix);
      if (fault !== undefined)
        return warning(`cannot be opened (${fault})`, `${prepareFix} (or: sudo chmod 0666 /dev/fuse)`);
      const { refused, faults } = await namespaceTrial();
      if (refused !== undefined) return ok('opens');
      return faults.fuse === undefined ? ok('fuse-overlayfs mounts') : warning(faults.fuse, prepareFix);
    },
  },
  {
    id: 'selinux',
    title: 'SELinux',
    why: 'a confined user may not make namespaces or run programs of their own',
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
