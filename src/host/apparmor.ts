import type { Host } from './host.js';

/** Whether AppArmor keeps user namespaces from programs that no profile allows them: Ubuntu since 23.10. */
export async function restrictsNamespaces(host: Host): Promise<boolean> {
  return (await host.read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'))?.trim() === '1';
}

export type AppArmorProfile = { path: string; content: string };

/**
 * Allows user namespaces to RootlessKit (and to doctor's trial of them) below the folders of one user, and to nothing else:
 * the restriction stays on for all other programs and users.
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

/** For root's shell: puts the profile in force, now and at each boot. May be indented, as errors are when they are shown. */
export function loadProfileScript({ path, content }: AppArmorProfile): string {
  return `echo '${content.trimEnd()}' >${path} && apparmor_parser --replace ${path}`;
}
