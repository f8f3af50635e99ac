import { blocked, ok, prepare, warning, type CheckDefinition } from '../check.js';
import { podsAllowed } from '../pod-limits.js';
import { readSysctl } from '../sysctls.js';
import { settings } from './settings.js';

export const kernelChecks: CheckDefinition[] = [
  {
    id: 'kernel',
    title: 'kernel',
    why: 'overlayfs can be mounted in a user namespace since Linux 5.11',
    atStart: false,
    look: async ({ host, namespaceTrial }) => {
      const release = (await readSysctl(host, 'kernel.osrelease')) ?? 'unknown';
      const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
      if (major > 5 || (major === 5 && minor >= 11)) return ok(release);
      const { faults } = await namespaceTrial();
      const fix = 'boot Linux 5.11 or newer';
      // Debian and Ubuntu supported it earlier.
      return faults.overlay === undefined ? warning(release, fix) : blocked(release, fix);
    },
  },
  settings({
    id: 'inotify',
    title: 'inotify limits',
    why: 'kubelet, containerd and each container of this user watch files',
    keys: ['fs.inotify.max_user_instances', 'fs.inotify.max_user_watches'],
    meaning: podsAllowed,
  }),
  {
    id: 'inotify-left',
    title: 'inotify in use',
    why: 'kubelet does not start when this user’s programs have used up inotify',
    atStart: true,
    look: async ({ host }) => {
      const fault = await host.watchFault();
      if (fault === undefined) return ok('files can be watched');
      const key = fault === 'EMFILE' ? 'fs.inotify.max_user_instances' : 'fs.inotify.max_user_watches';
      return blocked(
        `this user’s programs have used up ${key} = ${await readSysctl(host, key)} (${fault})`,
        prepare,
        'end programs of yours that watch many files',
      );
    },
  },
  settings({
    id: 'keyrings',
    title: 'keyring quotas',
    why: 'each container has a keyring, which counts towards this user’s quota',
    keys: ['kernel.keys.maxkeys', 'kernel.keys.maxbytes'],
    meaning: podsAllowed,
  }),
  {
    id: 'cgroups',
    title: 'cgroups',
    why: 'they enforce limits of CPU, memory and processes; without them, pods run unlimited',
    atStart: false,
    look: async ({ cgroups }) => {
      const { mode, reason, fixes } = await cgroups();
      return mode === 'delegated' ? ok(reason) : warning(reason, ...fixes);
    },
  },
];
