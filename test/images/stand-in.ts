import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { temporary } from '../temporary.js';

/** A program that answers by the cases of a `case` of sh over its arguments, and tells how it was called. */
export async function standIn(t: ExecutionContext, cases: string) {
  const folder = await temporary(t);
  const path = join(folder, 'program');
  const calls = join(folder, 'calls');
  await writeFile(path, `#!/bin/sh\necho "$*" >>${calls}\ncase "$*" in\n${cases}\nesac\n`, { mode: 0o755 });
  return { path, calls: async () => (await readFile(calls, 'utf8')).trimEnd().split('\n') };
}
