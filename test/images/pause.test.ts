import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { pauseAssembly, pauseProgram } from '#src/images/pause.js';
import { assembleArm64 } from '../fixtures/images/assemble-arm64.js';
import { temporary } from '../temporary.js';

const execute = promisify(execFile);
const elfHeaders = 64 + 56;
const machineCode = (architecture: 'amd64' | 'arm64') =>
  pauseProgram(architecture).subarray(elfHeaders).toString('hex');

test('the machine code for amd64 is what the assembler makes of the assembly', async (t) => {
  const folder = await temporary(t);
  const file = (name: string) => join(folder, name);
  await writeFile(file('pause.s'), pauseAssembly('amd64'));
  await execute('gcc', ['-m64', '-c', '-o', file('pause.o'), file('pause.s')]);
  await execute('objcopy', ['-O', 'binary', '-j', '.text', file('pause.o'), file('pause.bin')]);
  t.is(machineCode('amd64'), (await readFile(file('pause.bin'))).toString('hex'));
});

// A cross assembler is seldom installed, and the few instructions have simple encodings.
test('the machine code for arm64 is what the Arm manual says of the assembly', (t) => {
  t.is(machineCode('arm64'), assembleArm64(pauseAssembly('arm64')).toString('hex'));
});
