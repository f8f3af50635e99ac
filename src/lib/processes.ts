import { setTimeout as sleep } from 'node:timers/promises';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type ProcessInfo = {
  pid: number;
  parent: number;
  /** Of processes. */
  group: number;
  name: string;
  /** proc_pid_stat(5): R, S and D are alive, T is stopped, Z and X are dead. */
  state: string;
  /** A dead process that still has running threads still holds its files. */
  threads: number;
  /** Clock ticks between boot and its start, which tell it from a later process of the same pid. */
  startTime: string;
};

/** Undefined when there is no such process. */
export function processInfo(pid: number): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // pid (name) state parent …, where the name may itself hold parentheses.
    const [open, close] = [stat.indexOf('('), stat.lastIndexOf(')')];
    const fields = stat.slice(close + 2).split(' ');
    const [state = '', parent, group] = fields;
    return {
      pid,
      parent: Number(parent),
      group: Number(group),
      name: stat.slice(open + 1, close),
      state,
      threads: Number(fields[17]),
      startTime: fields[19] ?? '',
    };
  } catch {
    return undefined;
  }
}

/** One look at all of /proc. */
function allProcesses(): ProcessInfo[] {
  return readdirSync('/proc').flatMap((entry) =>
    /^\d+$/.test(entry) ? (processInfo(Number(entry)) ?? []) : [],
  );
}

/** Every process that is a descendant of `pid` now. */
export function descendantsOf(pid: number): ProcessInfo[] {
  const all = allProcesses();
  const found = all.filter(({ parent }) => parent === pid);
  for (const ancestor of found) found.push(...all.filter(({ parent }) => parent === ancestor.pid));
  return found;
}

export function isAlive(pid: number): boolean {
  const process = processInfo(pid);
  return process !== undefined && lives(process);
}

/** Whether a process group has a living member. */
export function groupLives(group: number): boolean {
  return allProcesses().some((process) => process.group === group && lives(process));
}

/** A zombie holds nothing any more once its last thread is one too. */
export function lives({ state, threads }: ProcessInfo): boolean {
  return state !== 'X' && (state !== 'Z' || threads > 1);
}

/** The process that has the socket with this inode open, if we may look at its files. */
export function socketHolder(inode: string): ProcessInfo | undefined {
  return allProcesses().find(({ pid }) => openFiles(pid).includes(`socket:[${inode}]`));
}

function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).map((fd) => linkOf(`${folder}/${fd}`));
  } catch {
    return []; // another user's, or gone
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed meanwhile
  }
}

/** The process's pid in each PID namespace, from ours inwards; empty when it is gone. */
export function namespacePids(pid: number): number[] {
  try {
    const [, numbers = ''] = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return numbers.split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/**
 * Waits until none of them is alive, at most 5 s. The first process of a PID namespace is dead only when all others in it
 * are, so that nothing of the node is left then.
 */
export async function untilGone(processes: readonly { pid: number }[]): Promise<void> {
  const end = performance.now() + 5_000;
  while (processes.some(({ pid }) => isAlive(pid)) && performance.now() < end) await sleep(10);
}
