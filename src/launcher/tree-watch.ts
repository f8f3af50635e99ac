import { existsSync } from 'node:fs';
import { descendantsOf, isAlive, processInfo } from '../lib/processes.js';

/** RootlessKit's processes: without one of them the node is lost, and RootlessKit itself does not always notice. */
export type VitalProcesses = { pid: number; title: string }[];

const lookMs = 2_000;

/** To be asked once the supervisor is there and before it has started anything. */
export function vitalProcesses(rootlesskit: number): VitalProcesses {
  const below = descendantsOf(rootlesskit).map(({ pid, parent, name }) => {
    if (parent !== rootlesskit) return { pid, title: 'the supervisor' };
    return { pid, title: name === 'slirp4netns' ? name : "RootlessKit's child" };
  });
  return [{ pid: rootlesskit, title: 'RootlessKit' }, ...below];
}

/**
 * Tells once, and why, when one of them has ended or is found stopped at two looks in a row, or when one of `files`,
 * without which nobody can reach them, is gone. Returns how to end the watch.
 */
export function watchVital(
  processes: VitalProcesses,
  files: readonly string[],
  onLoss: (why: string) => void,
  periodMs = lookMs,
): () => void {
  const stoppedBefore = new Set<number>();
  const look = (): string | undefined => {
    for (const { pid, title } of processes) {
      if (!isAlive(pid)) return `${title} ended`;
      if (processInfo(pid)?.state !== 'T') stoppedBefore.delete(pid);
      else if (stoppedBefore.has(pid)) return `${title} hangs: it is stopped`;
      else stoppedBefore.add(pid);
    }
    const gone = files.find((file) => !existsSync(file));
    return gone === undefined ? undefined : `${gone} was removed`;
  };
  const timer = setInterval(() => {
    const why = look();
    if (why === undefined) return;
    clearInterval(timer);
    onLoss(why);
  }, periodMs);
  return () => clearInterval(timer);
}
