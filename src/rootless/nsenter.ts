import { readFile } from 'node:fs/promises';
import { U7sError, errnoOf } from '../lib/errors.js';
import { u7s } from '../lib/fixes.js';

/** The arguments that put a command into the namespaces whose first process is `pid`. */
export function nsenterArgs(pid: number, command: string[]): string[] {
  return [
    '-U',
    '--preserve-credentials',
    '-m',
    '-n',
    '-p',
    '-i',
    '-u',
    '-C',
    '-t',
    String(pid),
    '--',
    ...command,
  ];
}

/** Reads RootlessKit's child_pid; without a live process behind it the cluster is not running. */
export async function namespacePid(childPidFile: string): Promise<number> {
  try {
    const pid = Number(await readFile(childPidFile, 'utf8'));
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ESRCH') throw error;
    throw new U7sError('not-running', 'the cluster is not running', {
      fixes: [u7s(['up'], { text: 'start it' })],
      cause: error,
    });
  }
}
