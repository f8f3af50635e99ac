import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Interrupted } from './interrupted.js';

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const forwardedSignals = [...endingSignals, 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Tools like timeout(1) signal both a process and its group: what comes within this many milliseconds is one request. */
const sameRequest = 250;

/** Aborted by the first Ctrl-C or SIGTERM, and when nobody reads stdout any more. A second request ends the process at once. */
export function abortOnSignals(): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  for (const name of endingSignals) {
    process.on(name, () => {
      firstAt ??= performance.now();
      if (!controller.signal.aborted) controller.abort(new Interrupted(name));
      else if (performance.now() - firstAt > sameRequest) process.exit(new Interrupted(name).exitCode);
    });
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    controller.abort(new Interrupted('SIGPIPE'));
  });
  process.stderr.on('error', () => {}); // nobody reads it any more
  return controller.signal;
}

/**
 * From now on signals are the child's: a shell or an editor in it may well live through several Ctrl-C. Those that the
 * terminal sends to the whole foreground group have reached it already, unless it is in a session of its own. Returns how to
 * end the forwarding.
 */
export function forwardSignals(child: ChildProcess, ownSession = false): () => void {
  const handlers = forwardedSignals.map((name) => {
    process.removeAllListeners(name);
    const handler = (): void => {
      if (ownSession || !cameFromTerminal(name)) child.kill(name);
    };
    process.on(name, handler);
    return { name, handler };
  });
  return () => handlers.forEach(({ name, handler }) => process.off(name, handler));
}

function cameFromTerminal(name: NodeJS.Signals): boolean {
  // proc_pid_stat(5); the second field, the program's name in brackets, may hold blanks.
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  const [group, terminal, foregroundGroup] = [fields[2], fields[4], fields[5]];
  if (name === 'SIGHUP') return terminal !== '0';
  return (name === 'SIGINT' || name === 'SIGQUIT') && group === foregroundGroup;
}
