import { spawn } from 'node:child_process';
import { once } from 'node:events';

export type Size = { columns: number; rows: number };

/**
 * What a command writes to a terminal of this size, byte for byte. `script` of util-linux makes the terminal: Node.js
 * cannot by itself.
 */
export async function record(
  command: string,
  { columns, rows }: Size,
  env: Record<string, string>,
): Promise<Buffer> {
  const child = spawn('script', ['-qefc', `stty cols ${columns} rows ${rows}; ${command}`, '/dev/null'], {
    env: { TERM: 'xterm-256color', LANG: 'C.UTF-8', ...env },
    // Somebody sits there who types nothing: the end of input would be typed into the terminal.
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  const output = Buffer.concat(chunks);
  if (exitCode !== 0) throw new Error(`${command} exited with ${exitCode}:\n${output.toString()}`);
  return output;
}
