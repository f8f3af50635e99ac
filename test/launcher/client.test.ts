import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { instanceStatus, stopInstance } from '#src/launcher/client.js';
import { u7s } from '#src/lib/fixes.js';
import { isAlive } from '#src/lib/processes.js';
import { isServed } from '#src/supervisor/control-socket.js';
import { temporary } from '../temporary.js';

const { signal } = new AbortController();

/** A launcher that is stopped: its connections are accepted, but nobody answers. A process of its own shares its end. */
async function hungLauncher(t: ExecutionContext): Promise<{ socket: string; pids: number[] }> {
  const socket = join(await temporary(t), 'control.sock');
  // What the child says shows that setpriv has done its work.
  const program = `
    const words = ['--pdeathsig=KILL', 'sh', '-c', 'echo; exec sleep 1000'];
    const child = require('child_process').spawn('setpriv', words);
    child.stdout.once('data', () =>
      require('net').createServer().listen('${socket}', () => console.log(child.pid)));`;
  const launcher = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => launcher.kill('SIGKILL'));
  const [line] = (await once(launcher.stdout, 'data')) as [Buffer];
  launcher.kill('SIGSTOP');
  return { socket, pids: [launcher.pid ?? 0, Number(line)] };
}

test('a launcher that hangs is told, and how to end it', async (t) => {
  const { socket, pids } = await hungLauncher(t);
  const error = await t.throwsAsync(instanceStatus(socket, signal), {
    message: `the cluster's launcher (pid ${pids[0]}) hangs: it has not answered within 5 s`,
  });
  t.like(error, { code: 'launcher-hangs', fixes: [u7s(['down'], { text: 'end it and all that it runs' })] });
});

test('a stop of a launcher that hangs kills it, and all that it runs', async (t) => {
  const { socket, pids } = await hungLauncher(t);
  t.true(await isServed(socket));
  t.true(await stopInstance(socket, signal));
  t.false(pids.some(isAlive));
  t.false(await isServed(socket));
});

test('what does not run cannot be stopped', async (t) => {
  t.false(await stopInstance(join(await temporary(t), 'control.sock'), signal));
});
