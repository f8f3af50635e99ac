import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { clusterHome } from '../cli/cluster-home.js';

/** `u7s logs` as its own process; ROOTLESSKIT_STATE_DIR keeps root from acting as somebody else. */
function u7s(args: string[], env: Record<string, string>) {
  const all = { PATH: process.env.PATH, ROOTLESSKIT_STATE_DIR: '/', ...env };
  return spawn(process.execPath, ['bin/u7s.js', ...args], { env: all, stdio: ['ignore', 'pipe', 'pipe'] });
}

test('Ctrl-C ends a command with 130, TERM with 143, and nothing is said', async (t) => {
  const { env, state } = await clusterHome(t);
  await writeFile(join(state, 'logs', 'etcd.log'), 'hello\n');
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const child = u7s(['logs', '-f'], env);
    child.stderr.on('data', (text) => t.fail(String(text)));
    await once(child.stdout, 'data');
    child.kill(signal);
    t.deepEqual(await once(child, 'close'), [code, null]);
  }
});

test('a reader of stdout that goes away ends the command silently', async (t) => {
  const { env, state } = await clusterHome(t);
  await writeFile(join(state, 'logs', 'etcd.log'), 'a line\n'.repeat(500_000));
  const child = u7s(['logs', 'etcd'], env);
  child.stderr.on('data', (text) => t.fail(String(text)));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  t.deepEqual(await once(child, 'close'), [141, null]);
});
