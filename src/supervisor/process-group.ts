import { spawn, type StdioOptions } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf, messageOf, U7sError } from '../lib/errors.js';
import { groupLives } from '../lib/processes.js';

export type Program = { command: string; args: readonly string[]; env: Record<string, string> };

export type Exit = { code: number | null; signal: NodeJS.Signals | null };

export type ProcessGroup = {
  /** Of the leader, and so of the group. */
  pid: number;
  /** Settles when the leader has died and whatever it left behind in its group has been killed. Never rejects. */
  ended: Promise<Exit>;
  /** To every member, as long as the leader lives: later the number may be another's. */
  signal(signal: NodeJS.Signals): void;
};

/** The program cannot be executed, and trying again without a change will not help. */
export class NotExecutableError extends U7sError {
  override readonly name = 'NotExecutableError';
}

/** Starts a program as the leader of a session and process group of its own. Throws when it cannot be started. */
export async function startGroup(program: Program, stdio: StdioOptions): Promise<ProcessGroup> {
  const { command, args, env } = program;
  try {
    const child = spawn(command, args, { env, stdio, detached: true });
    const { pid } = child;
    if (pid === undefined) throw await new Promise<unknown>((resolve) => child.once('error', resolve));
    let alive = true;
    const ended = new Promise<Exit>((resolve) => {
      child.once('exit', (code, signal) => {
        alive = false;
        void killRemains(pid).then(() => resolve({ code, signal }));
      });
    });
    return { pid, ended, signal: (signal) => void (alive && signalGroup(pid, signal)) };
  } catch (error) {
    throw explain(command, error);
  }
}

export function describeExit({ code, signal }: Exit): string {
  return signal ? `signal ${signal}` : `exit code ${code}`;
}

function explain(command: string, error: unknown): U7sError {
  const why = { ENOENT: 'no such file, or no such interpreter', EACCES: 'permission denied' }[
    errnoOf(error) ?? ''
  ];
  const message = `cannot execute ${command}: ${why ?? messageOf(error)}`;
  return why
    ? new NotExecutableError('not-executable', message, { cause: error })
    : new U7sError('cannot-start', message, { cause: error });
}

/** False when nobody is left to receive it. */
function signalGroup(pgid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pgid, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * Kills what a dead leader left in its group and waits until it is gone, so that a successor finds ports and locks
 * free; no longer than 5 s, which only a process stuck in the kernel outlives.
 */
async function killRemains(pgid: number): Promise<void> {
  if (!signalGroup(pgid, 'SIGKILL')) return;
  for (let waited = 0, pause = 2; waited < 5_000; waited += pause, pause = Math.min(pause * 2, 50)) {
    if (!signalGroup(pgid, 0) || !groupLives(pgid)) return;
    await sleep(pause);
  }
}
