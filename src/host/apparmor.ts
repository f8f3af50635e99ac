import type { Host } from './host.js';

/** Whether AppArmor denies user namespaces to programs without a profile that allows them: Ubuntu since 23.10. */
export async function restrictsNamespaces(host: Host): Promise<boolean> {
  return (await host.read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'))?.trim() === '1';
}

export type AppArmorProfile = { path: string; content: string };

/**
 * Allows user namespaces to RootlessKit, and to doctor's trial of them, below the folders of one user; the restriction
 * stays on for all other programs and users.
 */
export function appArmorProfile(user: string, folders: string[]): AppArmorProfile {
  const roots = [...new Set(folders)].filter(
    (folder, _, all) => !all.some((other) => folder.startsWith(`${other}/`)),
  );
  // A path must begin with a slash, not with the alternatives.
  const below = roots.length === 1 ? roots[0] : `/{${roots.map((root) => root.slice(1)).join(',')}}`;
  const name = `usernetes-${user}`;
  return {
    path: `/etc/apparmor.d/${name}`,
    content: `abi <abi/4.0>,
include <tunables/global>

profile ${name} "${below}/{,**/}{artifacts/rootlesskit/*/bin/rootlesskit,.usernetes-trial-*/unshare}" flags=(unconfined) {
  userns,

  include if exists <local/${name}>
}
`,
  };
}

/** For root's shell: loads the profile, now and at each boot. It still works when indented, as in a printed error. */
export function loadProfileScript({ path, content }: AppArmorProfile): string {
  return `echo '${content.trimEnd()}' >${path} && apparmor_parser --replace ${path}`;
}
