import { blocked, ok, prepareFix, warning, type CheckDefinition } from '../check.js';
import { podsAllowed } from '../pod-limits.js';
import { readSysctl } from '../sysctls.js';
import { settings } from './settings.js';

export const kernelChecks: CheckDefinition[] = [
  {
    id: 'kernel',
    title: 'kernel',
    why: 'from 5.11 on, overlayfs can be mounted in a user namespace',
    atStart: false,
    look: async ({ host, namespaceTrial }) => {
      const release = (await readSysctl(host, 'kernel.osrelease')) ?? 'unknown';
      const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
      if (major > 5 || (major === 5 && minor >= 11)) return ok(release);
      const { faults } = await namespaceTrial();
      const fix = 'boot a kernel of 5.11 or newer';
      // Debian and Ubuntu had it earlier.
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
    why: 'kubelet does not start where this user’s programs have used inotify up',
    atStart: true,
    look: async ({ host }) => {
      const fault = await host.watchFault();
      if (fault === undefined) return ok('files can be watched');
      const key = fault === 'EMFILE' ? 'fs.inotify.max_user_instances' : 'fs.inotify.max_user_watches';
      return blocked(
        `${key} = ${await readSysctl(host, key)} is used up by this user’s programs (${fault})`,
        `${prepareFix}, or end programs of yours that watch many files`,
      );
    },
  },
  settings({
    id: 'keyrings',
    title: 'keyring quotas',
    why: 'each container has a keyring, counted for this user',
    keys: ['kernel.keys.maxkeys', 'kernel.keys.maxbytes'],
    meaning: podsAllowed,
  }),
  {
    id: 'cgroups',
    title: 'cgroups',
    why: 'limits of CPU, memory and processes are enforced by them; without, the cluster works unlimited',
    atStart: false,
    look: async ({ cgroups }) => {
      const { mode, reason } = await cgroups();
      if (mode === 'delegated') return ok(reason);
      const [found = reason, fix = prepareFix] = reason.split('; ');
      return warning(found, fix);
    },
  },
];
