import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import test from 'ava';
import { readJoinFile } from '#src/instance/join-file.js';
import { formatJoinLine } from '#src/membership/join-line.js';
import type { Event } from '#src/lib/events.js';
import { temporary } from '../temporary.js';

const words = {
  endpoint: '192.0.2.10:6443',
  token: 'abcdef.0123456789abcdef',
  caHash: `sha256:${'0'.repeat(64)}`,
};

const signal = new AbortController().signal;

test('a file that is not there yet is waited for, and that is told', async (t) => {
  const file = join(await temporary(t), 'line');
  const told: string[] = [];
  const report = (event: Event): void => {
    told.push(event.kind);
    writeFileSync(`${file}.new`, formatJoinLine(words));
    renameSync(`${file}.new`, file);
  };
  t.deepEqual(await readJoinFile(file, new PassThrough(), report, signal), words);
  t.deepEqual(told, ['note']);
});

test('the line may come by stdin', async (t) => {
  const stdin = new PassThrough();
  stdin.end(formatJoinLine(words));
  t.deepEqual(await readJoinFile('-', stdin, () => t.fail(), signal), words);
});
