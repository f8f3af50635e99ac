import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { run } from '#src/lib/exec.js';
import { killTree } from '#src/lib/kill-tree.js';
import { isAlive, untilGone } from '#src/lib/processes.js';
import { temporary } from '../temporary.js';

/** A shell with a child, a grandchild, and one in a session of its own; their process IDs, the shell's first. */
async function startTree(t: ExecutionContext): Promise<number[]> {
  const script = `sleep 60 & sh -c 'sleep 60 & echo $!; echo $$; wait' & setsid sh -c 'echo $$; exec sleep 60' & echo $$; wait`;
  const shell = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  shell.stdout.on('data', (data: Buffer) => (said += data.toString()));
  while (said.split('\n').length < 5) await sleep(10);
  const pids = said.trim().split('\n').map(Number);
  t.teardown(() => {
    for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL');
  });
  return [shell.pid ?? 0, ...pids];
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  test(`${signal} reaches children, grandchildren and sessions of their own`, async (t) => {
    const pids = await startTree(t);
    await killTree(pids[0], signal);
    await untilGone(pids.map((pid) => ({ pid })));
    t.deepEqual(pids.filter(isAlive), []);
  });
}

test('a host without ps is no obstacle', async (t) => {
  const folder = await temporary(t);
  const [shell = 0, ...others] = await startTree(t);
  const module = new URL(import.meta.resolve('#src/lib/kill-tree.js')).href;
  const script = `import { killTree } from ${JSON.stringify(module)}; await killTree(${shell}, 'SIGKILL');`;
  const { exitCode, stderr } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    env: { PATH: folder },
  });
  t.is(exitCode, 0, stderr);
  await untilGone([shell, ...others].map((pid) => ({ pid })));
  t.deepEqual([shell, ...others].filter(isAlive), []);
});

test('a process that has ended is left alone', async (t) => {
  const child = spawn('true');
  await once(child, 'exit');
  await t.notThrowsAsync(killTree(child.pid));
});
