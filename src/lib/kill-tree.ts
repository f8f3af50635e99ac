import { promisify } from 'node:util';
import treeKill from 'tree-kill';
import { errnoOf } from './errors.js';
import { run } from './exec.js';
import { descendantsOf } from './processes.js';

const signalTree: (pid: number, signal: string) => Promise<void> = promisify(treeKill);

/**
 * Sends `signal` to a process and to everything it has started, even in sessions of their own. The process is halted
 * meanwhile, so that it starts nothing that would be missed. Does nothing when it has ended, or
 * was never started.
 */
export async function killTree(
  pid: number | undefined,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<void> {
  if (pid === undefined || !send(pid, 'SIGSTOP')) return;
  try {
    if (await psWorks(pid)) await signalTree(pid, signal);
    else for (const each of [...descendantsOf(pid), { pid }]) send(each.pid, signal);
  } finally {
    send(pid, 'SIGCONT'); // a halted process would not see SIGTERM
  }
}

/** tree-kill needs the `ps` of procps: without any it would crash us, and BusyBox's lacks the options. */
async function psWorks(pid: number): Promise<boolean> {
  return run('ps', ['-o', 'pid', '--no-headers', '--pid', String(pid)]).then(
    ({ exitCode }) => exitCode === 0,
    () => false,
  );
}

/** False when the process has ended. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false;
    throw error;
  }
}
