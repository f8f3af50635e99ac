import { wrapRuntime } from './runtime-wrapper.js';

/**
 * An OCI runtime for engines that ask for any `oom_score_adj`: runc, but never asked for a lower value than its own. Only
 * root of the host may make a process less likely to be killed; runc gives up when that is refused. containerd has the
 * option `restrict_oom_score_adj` for it.
 *
 * @param runc absolute path of the real runc
 * @returns a POSIX shell script, to be installed executable
 */
export function renderBoundedOomScore(runc: string): string {
  return wrapRuntime(
    runc,
    'Runs runc with oom_score_adj bounded: a container that wants less than we have gets what we have.',
    `  key='(^|[{,[:space:]])("oomScoreAdj"[[:space:]]*:[[:space:]]*)'
  least=$(cat /proc/self/oom_score_adj) || exit
  wanted=$(LC_ALL=C sed -n -E "s/.*$key(-?[0-9]+).*/\\3/p" "$config") || exit
  [ "\${wanted:-$least}" -ge "$least" ] || LC_ALL=C sed -i -E "s/$key-?[0-9]+/\\1\\2$least/" -- "$config" || exit`,
  );
}
