import { execa } from 'execa';

export type Result = { exitCode: number; stdout: string; stderr: string };

/** Runs a command as a user would, from the checkout; never throws for its exit code. */
export async function sh(
  command: string,
  args: readonly string[] = [],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<Result> {
  const { exitCode, stdout, stderr } = await execa(command, args, {
    reject: false,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  return { exitCode: exitCode ?? -1, stdout, stderr };
}

/** Runs a command that must succeed; the error shows what it said. */
export async function ok(
  command: string,
  args: readonly string[] = [],
  options: { input?: string } = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await sh(command, args, options);
  if (exitCode !== 0)
    throw new Error(`${command} ${args.join(' ')} exited with ${exitCode}\n${stderr}\n${stdout}`);
  return stdout;
}

export const kubectl = (...args: string[]): Promise<string> => ok('./kubectl.sh', args);

/** `kubectl apply` of objects. */
export const apply = (...objects: object[]): Promise<string> =>
  ok('./kubectl.sh', ['apply', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  });
