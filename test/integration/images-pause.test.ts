import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { pauseProgram } from '#src/images/pause.js';
import { architecture } from '../fixtures/images/artifacts.js';
import { temporary } from '../temporary.js';

test('it ends with 0 on SIGTERM and SIGINT, and on no other signal', async (t) => {
  const pause = await install(t);
  for (const last of ['SIGTERM', 'SIGINT'] as const) {
    const child = spawn(pause);
    await until(() => waitsForSignals(child.pid));
    for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGPIPE', 'SIGCHLD'] as const) child.kill(signal);
    child.kill(last);
    t.deepEqual(await once(child, 'exit'), [0, null]);
  }
});

test('as process 1 of a PID namespace it reaps orphans and still heeds SIGTERM', async (t) => {
  const pause = await install(t);
  const unshare = spawn('unshare', ['--user', '--map-root-user', '--pid', '--fork', '--kill-child', pause]);
  t.teardown(() => unshare.kill('SIGKILL'));
  const exit = once(unshare, 'exit');
  const first = await until(async () => (await childrenOf(unshare.pid))[0]);
  await until(() => waitsForSignals(first));

  const inside = (script: string): ChildProcess =>
    spawn('nsenter', ['-U', '--preserve-credentials', '-p', '-t', String(first), 'sh', '-c', script], {
      stdio: ['pipe', 'inherit', 'inherit', 'pipe'],
    });
  const parent = inside('sh -c "read line" <&3 & exit 0');
  t.deepEqual(await once(parent, 'exit'), [0, null]);
  t.is(
    (await until(async () => ((await childrenOf(first)).length > 0 ? childrenOf(first) : undefined))).length,
    1,
    'the orphan is its child',
  );
  parent.stdio[3]?.destroy();
  await until(async () => (await childrenOf(first)).length === 0);

  // The end of the first process may be the end of whoever asked for it.
  await once(inside('kill -TERM 1'), 'exit');
  t.deepEqual(await exit, [0, null]);
});

async function install(t: ExecutionContext): Promise<string> {
  const folder = await temporary(t);
  const pause = join(folder, 'pause');
  await writeFile(pause, pauseProgram(architecture), { mode: 0o755 });
  return pause;
}

/** It sleeps in rt_sigtimedwait (number 128 on amd64, 137 on arm64), so its signals have been blocked. */
async function waitsForSignals(pid: number | undefined): Promise<boolean> {
  return /^(128|137) /.test(await readFile(`/proc/${pid}/syscall`, 'utf8'));
}

async function childrenOf(pid: number | undefined): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

/** Asks until the answer is something. A test that never gets one is ended by AVA. */
async function until<T>(ask: () => Promise<T>): Promise<NonNullable<T>> {
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    await delay(2);
  }
}
