import { u7sAsUser } from '../ordinary-user.js';
import type { Strike } from './fault.js';
import { apiPort, clusterName } from './subject.js';

/** A command that is given now must end like this. */
export function answers(args: readonly string[], expected: { exitCode: number; stderr: RegExp }): Strike {
  return async (subject) => {
    const { exitCode, stderr } = await subject.u7s(args).ended;
    if (exitCode !== expected.exitCode || !expected.stderr.test(stderr))
      throw new Error(`u7s ${args.join(' ')} ended with ${exitCode}: ${stderr}`);
  };
}

/** As many commands `u7s up` at once: one starts the cluster, the others wait for it and say so. */
export function startsAtOnce(count: number): Strike {
  return async ({ account }) => {
    const up = ['--cluster', clusterName, 'up', 'default-containerd', '--api-port', String(apiPort), '-d'];
    const started = await Promise.all(Array.from({ length: count }, () => u7sAsUser(account, up)));
    const results = await Promise.all(started.map(({ ended }) => ended));
    const winners = results.filter(({ stdout }) => stdout.includes('is ready after'));
    const others = results.filter(({ stdout }) => stdout.includes('is already running'));
    const failed = results.find(({ exitCode }) => exitCode !== 0);
    if (failed) throw new Error(`one exited with ${failed.exitCode}: ${failed.stderr}`);
    if (winners.length !== 1 || others.length !== count - 1)
      throw new Error(`${winners.length} started it, ${others.length} found it running`);
    // Who comes late finds it running without having had to wait.
    if (
      !others.some(({ stderr }) =>
        /process \d+ is already starting this cluster: waiting for it/.test(stderr),
      )
    )
      throw new Error('nobody said that it waits');
  };
}
