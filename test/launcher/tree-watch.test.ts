import { spawn } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { untilGone } from '#src/lib/processes.js';
import { watchVital } from '#src/launcher/tree-watch.js';
import { killTree } from '#src/lib/kill-tree.js';
import { descendantsOf, isAlive, namespacePids, processInfo } from '#src/lib/processes.js';
import { temporary } from '../temporary.js';

/** A process that sleeps until the test ends. */
async function sleeper(t: ExecutionContext, ...wrapped: string[]): Promise<number> {
  const [command = 'sleep', ...args] = [...wrapped, 'sleep', '1000'];
  const child = spawn(command, args, { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  await new Promise((resolve) => child.once('spawn', resolve));
  return child.pid ?? 0;
}

/** What the watch over one process tells first. */
function loss(t: ExecutionContext, pid: number, files: string[] = []): Promise<string> {
  return new Promise((resolve) => t.teardown(watchVital([{ pid, title: 'it' }], files, resolve, 10)));
}

test('a process that ends is noticed', async (t) => {
  const pid = await sleeper(t);
  const lost = loss(t, pid);
  process.kill(pid, 'SIGKILL');
  t.is(await lost, 'it ended');
  await untilGone([{ pid }]);
  t.false(isAlive(pid));
});

test('a process that is stopped is noticed', async (t) => {
  const pid = await sleeper(t);
  const lost = loss(t, pid);
  process.kill(pid, 'SIGSTOP');
  t.is(await lost, 'it hangs: it is stopped');
});

test('a file that is removed is noticed', async (t) => {
  const file = join(await temporary(t), 'control.sock');
  await writeFile(file, '');
  const lost = loss(t, await sleeper(t), [file]);
  await rm(file);
  t.is(await lost, `${file} was removed`);
});

test('a dead process that nobody has reaped is dead', async (t) => {
  // The shell never waits for its child, and becomes a program that does not either.
  const parent = spawn('/bin/sh', ['-c', 'true & exec sleep 1000'], { stdio: 'ignore' });
  t.teardown(() => parent.kill('SIGKILL'));
  const zombie = (): number | undefined =>
    descendantsOf(parent.pid ?? 0).find(({ state }) => state === 'Z')?.pid;
  while (zombie() === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  const pid = zombie() ?? 0;
  t.false(isAlive(pid));
  t.is(await loss(t, pid), 'it ended');
});

test('descendants are found at any depth, whatever their name', async (t) => {
  const parent = spawn('/bin/sh', ['-c', 'sh -c "sleep 1000 & wait" & wait'], { stdio: 'ignore' });
  t.teardown(() => killTree(parent.pid, 'SIGKILL'));
  const names = (): string[] => descendantsOf(parent.pid ?? 0).map(({ name }) => name);
  while (!names().includes('sleep')) await new Promise((resolve) => setTimeout(resolve, 5));
  t.deepEqual(names().sort(), ['sh', 'sleep']);
});

test('a process without a PID namespace of its own has one number, one that is gone has none', (t) => {
  t.deepEqual(namespacePids(process.pid), [process.pid]);
  t.is(processInfo(process.pid)?.parent, process.ppid);
  t.is(processInfo(2 ** 22 + 1), undefined);
  t.deepEqual(namespacePids(2 ** 22 + 1), []);
  t.false(isAlive(2 ** 22 + 1));
});
