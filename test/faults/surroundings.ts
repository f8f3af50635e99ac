import type { StartOptions } from './fault.js';
import type { Subject } from './subject.js';

/** Ways to start a cluster in an environment of its own, which ends with it; as root, before the user is acted for. */
type Inside = NonNullable<StartOptions['inside']>;

/** The limits of prlimit(1), as `--nofile=64`. */
export const limitedTo =
  (...limits: string[]): Inside =>
  () => ['prlimit', ...limits, '--'];

/** The clocks that count from boot, by so many seconds ahead: a time namespace does not have the calendar's. */
export const clocksAheadBy =
  (seconds: number): Inside =>
  () => ['unshare', '--time', `--monotonic=${seconds}`, `--boottime=${seconds}`, '--fork', '--'];

/** The state on a file system of its own that has room for what is there and some more. */
export const smallDisk: Inside = (subject) => mounted(subject, ownDisk);

/** The same without a free block from the beginning. */
export const fullDisk: Inside = (subject) =>
  mounted(subject, `${ownDisk}; ! dd if=/dev/zero of="$state/filler" bs=4k 2>/dev/null`);

const ownDisk = `size=$(($(du -sk "$state" | cut -f1) + 512 * 1024))k
      mount -t tmpfs -o size=$size,mode=0700,uid=$uid,gid=$gid none /mnt
      cp -a "$state/." /mnt/
      mount --move /mnt "$state"`;

/** The state where nothing can be written. */
export const readOnlyDisk: Inside = (subject) =>
  mounted(subject, 'mount --bind "$state" "$state"; mount -o remount,bind,ro "$state"');

/** In a mount namespace of its own, which `script` arranges. */
function mounted({ account, paths }: Subject, script: string): string[] {
  const variables = `state='${paths.state}' uid=${account.uid} gid=${account.gid}`;
  return ['unshare', '--mount', 'sh', '-ec', `${variables}\n${script}\nexec "$@"`, 'sh'];
}
