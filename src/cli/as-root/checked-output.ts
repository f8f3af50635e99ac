import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { UsageError } from '../../lib/errors.js';
import { u7s } from '../../lib/fixes.js';
import { renderKubeconfig } from '../../kube/kubeconfig.js';
import { readKubeconfigParts } from '../../kube/kubeconfig-parts.js';
import { formatJoinLine, parseJoinLine } from '../../membership/join-line.js';
import { parseInvitation } from '../../membership/join.js';
import type { Io } from '../io.js';
import { forwardSignals } from '../signals.js';
import type { Invocation } from '../pass-through.js';

/**
 * What the account prints for others to use is not handed on as it is: root's kubectl runs what a kubeconfig names, and root
 * pastes a line for joining into a shell. It is parsed, checked, and written anew from its parts.
 */
const rewriters: Record<string, (output: string) => string | Promise<string>> = {
  kubeconfig: async (output) => renderKubeconfig(await readKubeconfigParts(output, 'what the account has')),
  'join-command': (output) => {
    const { endpoint, token, caHash } = parseJoinLine(output, 'what the account has printed');
    parseInvitation(endpoint, token, caHash);
    return `${formatJoinLine({ endpoint, token, caHash })}\n`;
  },
};

/** The same for a verb of the Makefile, whose output becomes a file. */
export async function rewritten(verb: string, output: string): Promise<string> {
  return rewriters[verb]?.(output) ?? output;
}

/** Of a command whose output is for others: how it is written anew. Throws when root must not get that output at all. */
export function rewriterOf(
  verb: string,
  command: Command,
): ((output: string) => Promise<string>) | undefined {
  if (verb === 'kubeconfig' && command.opts<{ path?: boolean }>().path === true) {
    throw new UsageError(
      'not-for-root',
      "the file is the account's, and root's kubectl would run what it names",
      u7s(['kubectl', 'get', 'nodes'], { text: 'run kubectl as the account' }),
      u7s(['kubeconfig'], { text: 'print a checked copy' }),
    );
  }
  const rewrite = rewriters[verb];
  return rewrite && (async (output) => rewrite(output));
}

/**
 * Runs a program whose output is checked before it is printed; what it says on stderr is shown as it comes. It gets none of
 * our own streams, which may be root's terminal.
 */
export async function captured(
  { command, args, env }: Invocation,
  { stderr }: Pick<Io, 'stderr'>,
): Promise<{ exitCode: number; output: string }> {
  const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  child.stderr.on('data', (said: Buffer) => stderr.write(said));
  const stop = forwardSignals(child, true);
  try {
    const [output, [code]] = await Promise.all([
      text(child.stdout),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    return { exitCode: code ?? 1, output };
  } finally {
    stop();
  }
}
