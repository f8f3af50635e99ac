import { appArmorProfile, loadProfileScript, restrictsNamespaces } from './apparmor.js';
import type { Fix } from '../lib/fixes.js';
import { prepare, type CheckContext } from './check.js';
import { readSysctls, unsatisfiedSysctls } from './sysctls.js';

type Cause = { cause: string; fixes: readonly Fix[] };

/** Most specific first: on a host that refuses namespaces, the first that holds is the most likely cause. */
const causes: ((context: CheckContext) => Promise<Cause | undefined>)[] = [
  noNewPrivileges,
  switchedOff,
  appArmor,
  seccomp,
];

/** Why this host refuses user namespaces and what to do; the kernel itself reports little more than EPERM. */
export async function explainRefusal(context: CheckContext): Promise<Cause | undefined> {
  for (const cause of causes) {
    const found = await cause(context);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function noNewPrivileges({ host }: CheckContext): Promise<Cause | undefined> {
  if (!/^NoNewPrivs:\s*1$/m.test((await host.read('/proc/self/status')) ?? '')) return undefined;
  return {
    cause: 'no_new_privs is set for this process, so that newuidmap gains no privileges',
    fixes: [
      'start it from a login shell; NoNewPrivileges= of systemd, no-new-privileges of Docker, bubblewrap and snap set it',
    ],
  };
}

const switches = ['kernel.unprivileged_userns_clone', 'user.max_user_namespaces'];

async function switchedOff({ host, user }: CheckContext): Promise<Cause | undefined> {
  const values = await readSysctls(host);
  const off = unsatisfiedSysctls(values, user.gid, switches);
  if (off.length === 0) return undefined;
  return { cause: off.map((key) => `${key} = ${values[key]}`).join(', '), fixes: [prepare] };
}

async function appArmor({ host, user, home, dataHome, stateHome }: CheckContext): Promise<Cause | undefined> {
  if (!(await restrictsNamespaces(host))) return undefined;
  const script = loadProfileScript(appArmorProfile(user.name, [home, dataHome, stateHome]));
  return {
    cause: 'kernel.apparmor_restrict_unprivileged_userns = 1, and no AppArmor profile exempts our programs',
    fixes: [prepare, `as root:\n${script}`],
  };
}

/** Docker's default filter denies namespaces to processes without CAP_SYS_ADMIN. */
async function seccomp({ host }: CheckContext): Promise<Cause | undefined> {
  if (!/^Seccomp:\s*2$/m.test((await host.read('/proc/self/status')) ?? '')) return undefined;
  return {
    cause: 'a seccomp filter is in force, as in a container',
    fixes: [
      'start the container with docker run --privileged, or --security-opt seccomp=unconfined --security-opt systempaths=unconfined',
    ],
  };
}
