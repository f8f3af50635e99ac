import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, copyFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Actions, HttpAnswer, HttpQuestion } from './hand-agent.js';

/** Somebody at some place who does what an attack needs; see hand-agent.ts for what they can do. */
export type Hand = {
  [Name in keyof Actions]: (
    ...args: Parameters<Actions[Name]>
  ) => Promise<Awaited<ReturnType<Actions[Name]>>>;
} & {
  /** What came of a request, in a line: `403`, or an error of the connection. */
  status: (question: HttpQuestion) => Promise<string>;
  end: () => Promise<void>;
};

/** A copy of the agent where everybody can read it. */
export async function publicAgent(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'u7s-attacks-'));
  await chmod(folder, 0o755);
  const file = join(folder, 'agent.mjs');
  await copyFile(join(import.meta.dirname, 'hand-agent.js'), file);
  await chmod(file, 0o644);
  return file;
}

/** Starts the agent by a command line whose standard streams are its own. */
export function createHand(argv: readonly string[], env: Record<string, string | undefined>): Hand {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting = new Map<number, { resolve: (outcome: unknown) => void; reject: (error: Error) => void }>();
  let [said, next, alive] = ['', 0, true];
  const ended = once(child, 'close').then(() => {
    alive = false;
    for (const { reject } of waiting.values()) reject(new Error(`the agent has ended: ${said}`));
    waiting.clear();
  });
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  child.stdin.on('error', () => undefined);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, outcome } = JSON.parse(line) as { id: number; outcome: unknown };
    waiting.get(id)?.resolve(outcome);
    waiting.delete(id);
  });
  const act = (action: string, ...actionArgs: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (!alive) return reject(new Error(`the agent has ended: ${said}`));
      const id = next++;
      waiting.set(id, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id, action, args: actionArgs })}\n`);
    });
  const hand: Record<string, unknown> = {
    status: async (question: HttpQuestion) => lineOf((await act('ask', question)) as HttpAnswer),
    end: async () => {
      child.stdin.end();
      await ended;
    },
  };
  return new Proxy(hand, {
    // A promise of a hand must not take it for a promise.
    get: (known, name) =>
      typeof name === 'symbol' || name === 'then'
        ? undefined
        : (known[name] ?? ((...actionArgs: unknown[]) => act(name, ...actionArgs))),
  }) as Hand;
}

export function lineOf(answer: HttpAnswer): string {
  return 'error' in answer ? answer.error : String(answer.status);
}
