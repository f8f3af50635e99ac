import type { Readable, Writable } from 'node:stream';

/** The outside world of a command, so that a test can stand in for a terminal. */
export type Io = {
  stdin: Readable & { isTTY?: boolean };
  stdout: Writable & { isTTY?: boolean; columns?: number; rows?: number };
  stderr: Writable & { isTTY?: boolean; columns?: number; rows?: number };
  env: Record<string, string | undefined>;
  cwd: string;
};
