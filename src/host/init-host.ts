import { execa } from 'execa';
import { U7sError } from '../lib/errors.js';
import { step, type Report } from '../lib/events.js';
import { u7s } from '../lib/fixes.js';
import { appArmorProfile, loadProfileScript } from './apparmor.js';
import { delegatedControllers, devices, dropInDirectory, type HostFacts } from './facts.js';
import { adminEnv } from './host.js';
import { packageManagers } from './packages.js';
import { allocateSubIdRange, countSubIds, neededSubIds, subIdsOf, type SubIdRange } from './subid.js';
import { sysctlLines, unsatisfiedSysctls } from './sysctls.js';

/** A step of the preparation: an idempotent script for sh, run as root with -eu. */
export type InitStep = { id: string; title: string; script: string };

/** The steps whose results last in a container image; the kernel's settings are up to whoever runs it. */
const stepsOfImages = ['packages', 'map-helpers', 'user', 'sub-ids', 'runtime-dir'];

/** What a host with these facts still needs, in order; empty when it is prepared. Throws when it cannot be prepared. */
export function planInitHost(facts: HostFacts, options: { user: string; forImage?: boolean }): InitStep[] {
  const { user, forImage = false } = options;
  if (!/^[a-z_][-a-z0-9_.]{0,31}$/i.test(user))
    throw new U7sError('user-invalid', `${JSON.stringify(user)} is not a user name`);
  if (user === 'root' || facts.account?.uid === 0) {
    throw new U7sError(
      'is-root',
      'the host cannot be prepared for root; Kubernetes runs as an ordinary user',
      {
        fixes: ['choose an ordinary user: --user NAME, or set U7S_USER'],
      },
    );
  }
  const steps = [
    packagesStep(facts),
    mapHelpersStep(facts),
    facts.account === undefined && {
      id: 'user',
      title: `ordinary user ${user}`,
      script: `id -u ${user} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash ${user}`,
    },
    subIdsStep(facts, user),
    modulesStep(facts),
    devicesStep(facts),
    sysctlsStep(facts),
    appArmorStep(facts, user),
    ...(facts.systemd === undefined ? [runtimeDirStep(facts, user)] : systemdSteps(facts.systemd, user)),
  ].filter((each) => each !== false);
  return forImage ? steps.filter(({ id }) => stepsOfImages.includes(id)) : steps;
}

/** All steps as one script, to read or to run by hand. */
export function renderScript(steps: InitStep[]): string {
  if (steps.length === 0) return '#!/bin/sh\n# This host is prepared: there is nothing to do.\n';
  const parts = steps.map(({ title, script }) => `# ${title}\n${script}\n`);
  return `#!/bin/sh\n# Prepares this host for rootless Kubernetes; run it as root.\nset -eu\n\n${parts.join('\n')}`;
}

/** Runs the steps in order and reports the last line of each; the first failure ends it. */
export async function runInitHost(
  steps: InitStep[],
  { env, report, signal }: { env: Record<string, string | undefined>; report: Report; signal: AbortSignal },
): Promise<void> {
  for (const { id, title, script } of steps) {
    await step(report, `init-host/${id}`, title, async (progress) => {
      const shell = execa('sh', ['-eu', '-c', script], {
        stdin: 'ignore',
        all: true,
        reject: false,
        env: adminEnv(env),
        extendEnv: false,
        cancelSignal: signal,
      });
      for await (const line of shell.iterable({ from: 'all' })) if (line.trim() !== '') progress(line.trim());
      const { exitCode, all } = await shell;
      signal.throwIfAborted();
      if (exitCode === 0) return;
      const said = all.trim().split('\n').slice(-5).join('\n');
      throw new U7sError('init-host-failed', `the step "${title}" failed${said ? `: ${said}` : ''}`, {
        fixes: [
          u7s(['init-host'], {
            about: 'host',
            text: 'correct that, then run it again; it skips finished steps',
          }),
          u7s(['init-host', '--dry-run'], { about: 'host', text: 'see what remains to be done' }),
        ],
      });
    });
  }
}

function packagesStep({ packageManager, missingPackages }: HostFacts): InitStep | false {
  if (missingPackages.length === 0) return false;
  const names = missingPackages.join(' ');
  if (packageManager === undefined) {
    throw new U7sError(
      'no-package-manager',
      'there is no apt-get, dnf, zypper or pacman to install packages',
      {
        fixes: [`install what these packages of Debian contain: ${names}`],
      },
    );
  }
  return {
    id: 'packages',
    title: `packages ${names}`,
    script: packageManagers[packageManager].script(names),
  };
}

function mapHelpersStep({ powerlessMapHelpers: paths }: HostFacts): InitStep | false {
  if (paths.length === 0) return false;
  return {
    id: 'map-helpers',
    title: `setuid bit of ${paths.join(' ')}`,
    script: `chmod u+s ${paths.join(' ')}`,
  };
}

function subIdsStep({ account, subUids, subGids }: HostFacts, user: string): InitStep | false {
  const scripts = [
    subIdsScript(subUids, { name: user, uid: account?.uid }, 'uid'),
    subIdsScript(subGids, { name: user, uid: account?.uid }, 'gid'),
  ].filter((script) => script !== undefined);
  return scripts.length > 0 && { id: 'sub-ids', title: `sub-IDs of ${user}`, script: scripts.join('\n') };
}

function subIdsScript(
  existing: SubIdRange[],
  user: { name: string; uid: number | undefined },
  kind: 'uid' | 'gid',
): string | undefined {
  if (countSubIds(subIdsOf(existing, user)) >= neededSubIds) return undefined;
  const range = allocateSubIdRange(existing);
  if (range === undefined)
    throw new U7sError('sub-ids-exhausted', `/etc/sub${kind} has no room for ${neededSubIds} more IDs`);
  // useradd may have allocated some already.
  const enough = `awk -F: '$1 == "${user.name}" { n += $3 } END { exit n < ${neededSubIds} }' /etc/sub${kind}`;
  return [
    `[ -e /etc/sub${kind} ] || install -m 0644 /dev/null /etc/sub${kind}`,
    `${enough} || usermod --add-sub${kind}s ${range.start}-${range.start + range.count - 1} ${user.name}`,
  ].join('\n');
}

function modulesStep({ loadableModules }: HostFacts): InitStep | false {
  if (loadableModules.length === 0) return false;
  return {
    id: 'modules',
    title: `kernel modules ${loadableModules.join(' ')}`,
    script: `modprobe -a ${loadableModules.join(' ')}\n${writeFile('/etc/modules-load.d/usernetes.conf', `${loadableModules.join('\n')}\n`)}`,
  };
}

function devicesStep({ closedDevices, udev }: HostFacts): InitStep | false {
  if (closedDevices.length === 0) return false;
  const scripts = closedDevices.map((path) => {
    const { major, minor } = devices[path];
    return `[ -e ${path} ] || { mkdir -p ${path.replace(/\/[^/]+$/, '')}; mknod ${path} c ${major} ${minor}; }\nchmod 0666 ${path}`;
  });
  const rules = closedDevices.map((path) => `KERNEL=="${path.split('/').at(-1)}", MODE="0666"\n`).join('');
  if (udev)
    scripts.push(writeFile('/etc/udev/rules.d/99-usernetes.rules', rules), 'udevadm control --reload');
  // systemd's own rules also set 0666: to open these brings no privileges outside one's own namespaces.
  return { id: 'devices', title: `access to ${closedDevices.join(' ')}`, script: scripts.join('\n') };
}

function sysctlsStep({ sysctls, account }: HostFacts): InitStep | false {
  const firstUserGid = 1000;
  const unsatisfied = unsatisfiedSysctls(sysctls, account?.gid ?? firstUserGid);
  if (unsatisfied.length === 0) return false;
  // Only these are set now: a container, for example, may refuse to have others written again.
  const lines = sysctlLines(sysctls);
  const now = unsatisfied.map((key) => `sysctl -q -w '${lines[key]}'`);
  return {
    id: 'sysctls',
    title: `kernel settings (${unsatisfied.length} to change)`,
    script: [
      writeFile('/etc/sysctl.d/99-usernetes.conf', `${Object.values(lines).join('\n')}\n`),
      ...now,
    ].join('\n'),
  };
}

function appArmorStep({ appArmor, account }: HostFacts, user: string): InitStep | false {
  const profile = appArmorProfile(user, [account?.home ?? `/home/${user}`]);
  if (!appArmor.restricts || appArmor.profile === profile.content) return false;
  return {
    id: 'apparmor',
    title: `AppArmor profile: user namespaces for RootlessKit of ${user}`,
    script: loadProfileScript(profile),
  };
}

function runtimeDirStep(facts: HostFacts, user: string): InitStep | false {
  if (facts.runtimeDir) return false;
  return {
    id: 'runtime-dir',
    title: `runtime directory of ${user}`,
    script: `install -d -m 0755 /run/user\ninstall -d -m 0700 -o ${user} -g "$(id -g ${user})" "/run/user/$(id -u ${user})"`,
  };
}

function systemdSteps(systemd: { delegates: boolean; lingers: boolean }, user: string): (InitStep | false)[] {
  const dropIn = `[Service]\nDelegate=${delegatedControllers.join(' ')}\n`;
  return [
    !systemd.delegates && {
      id: 'delegation',
      title: `cgroup controllers ${delegatedControllers.join(' ')} delegated to users`,
      script: `${writeFile(`${dropInDirectory}/usernetes.conf`, dropIn)}\nsystemctl daemon-reload`,
    },
    !systemd.lingers && {
      id: 'linger',
      title: `services of ${user} run without a login`,
      script: `loginctl enable-linger ${user}`,
    },
  ];
}

function writeFile(path: string, content: string): string {
  return `mkdir -p ${path.replace(/\/[^/]+$/, '')}\ncat >${path} <<'EOF'\n${content}EOF`;
}
