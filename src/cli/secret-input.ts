import type { ReadStream } from 'node:tty';
import { text } from 'node:stream/consumers';
import type { Io } from './io.js';

/** One line of a secret: from standard input or, on a terminal, asked for and not shown. */
export async function secretInput({ stdin, stderr }: Io, question: string): Promise<string> {
  const terminal = stdin as ReadStream;
  if (!terminal.isTTY) return (await text(stdin)).replace(/\r?\n$/, '');
  stderr.write(question);
  terminal.setRawMode(true);
  try {
    let typed = '';
    for await (const chunk of terminal as AsyncIterable<Buffer>) {
      for (const key of chunk.toString()) {
        if (key === '\r' || key === '\n' || key === '\u0004') return typed;
        if (key === '\u0003') {
          process.kill(process.pid, 'SIGINT');
          return '';
        }
        typed = key === '\u007f' ? typed.slice(0, -1) : typed + key;
      }
    }
    return typed;
  } finally {
    terminal.setRawMode(false);
    stderr.write('\n');
  }
}
