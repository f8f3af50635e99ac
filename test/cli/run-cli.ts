import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { Interrupted } from '#src/cli/interrupted.js';
import { run } from '#src/cli/main.js';

export type CliResult = { exitCode: number; stdout: string; stderr: string };

export type RunningCli = {
  /** Settles once the text so far printed on stdout contains `text`. */
  printed: (text: string) => Promise<void>;
  interrupt: (signal?: NodeJS.Signals) => void;
  ended: Promise<CliResult>;
};

/**
 * Starts a command line in this process. Unless told otherwise it takes itself to be in a node's namespaces, where uid 0
 * is the ordinary user, so that it does the same whoever runs the tests.
 */
export function startCli(
  argv: readonly string[],
  env: Record<string, string> = {},
  isTTY = false,
): RunningCli {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const controller = new AbortController();
  const [out, err] = [collect(stdout), collect(stderr)];
  Object.assign(stdout, { isTTY });
  const io = { stdin, stdout, stderr, env: { ROOTLESSKIT_STATE_DIR: '/', ...env }, cwd: process.cwd() };
  return {
    printed: async (text) => {
      while (!out().includes(text)) await once(stdout, 'data');
    },
    interrupt: (signal = 'SIGINT') => controller.abort(new Interrupted(signal)),
    ended: run(argv, io, controller.signal).then((exitCode) => ({ exitCode, stdout: out(), stderr: err() })),
  };
}

export async function runCli(argv: readonly string[], env: Record<string, string> = {}): Promise<CliResult> {
  return startCli(argv, env).ended;
}

function collect(stream: PassThrough): () => string {
  let text = '';
  stream.on('data', (chunk) => (text += String(chunk)));
  return () => text;
}
