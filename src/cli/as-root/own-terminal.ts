import type { StdioOptions } from 'node:child_process';
import { asUser, type Account } from '../../host/account.js';
import type { Invocation } from '../pass-through.js';

/** Which of root's standard streams are its terminal, and how large that is. */
export type RootsTerminal = {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  columns?: number | undefined;
  rows?: number | undefined;
};

/** Descriptors on which the command finds those of root's streams that are not a terminal. */
const spare = { stdin: 3, stdout: 4, stderr: 5 } as const;

/**
 * How root runs `argv` as `account` without handing over its own terminal: a process that holds it could push keystrokes
 * into root's shell (TIOCSTI), or read what root types there later. script(1) makes a terminal for the command and copies
 * between the two; streams that are pipes or files stay what they are.
 */
export function inOwnTerminal(
  account: Account,
  argv: readonly string[],
  env: Record<string, string | undefined>,
  { stdin, stdout, stderr, columns, rows }: RootsTerminal,
): { invocation: Invocation; stdio: StdioOptions; ownSession: boolean } {
  if (!stdin && !stdout && !stderr) {
    return { invocation: asUser(account, argv, env), stdio: 'inherit', ownSession: true };
  }
  // script makes the session.
  const own = asUser(account, argv, env, { ownSession: false });
  const streams = [
    ...(stdin ? [] : [`<&${spare.stdin} ${spare.stdin}<&-`]),
    ...(stdout ? [] : [`>&${spare.stdout} ${spare.stdout}>&-`]),
    ...(stderr ? [] : [`2>&${spare.stderr} ${spare.stderr}>&-`]),
  ];
  const line = [
    `chown ${account.uid} "$(tty)"`,
    // script gives its terminal the size of its stdin, where that is a terminal.
    ...(stdin || !columns || !rows ? [] : [`stty columns ${columns} rows ${rows}`]),
    // script runs its command by the shell that the environment names, which must not be of the account's choice.
    `SHELL=${quoted(account.shell)} exec ${[own.command, ...own.args].map(quoted).join(' ')} ${streams.join(' ')}`,
  ].join('; ');
  const terminal = stdin ? 0 : stdout ? 1 : 2;
  return {
    invocation: {
      command: 'setpriv',
      // When root's process is killed, script ends the command.
      args: ['--pdeathsig=TERM', '--', 'script', '-qefc', line, '/dev/null'],
      env: { ...own.env, SHELL: '/bin/sh' },
    },
    stdio: [
      stdin ? 0 : 'ignore',
      terminal,
      terminal,
      stdin ? 'ignore' : 0,
      stdout ? 'ignore' : 1,
      stderr ? 'ignore' : 2,
    ],
    ownSession: false,
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
