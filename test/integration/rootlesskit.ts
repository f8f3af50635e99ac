import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { accountName, asUser, findAccount } from '#src/host/account.js';
import { createPortClient, type PortClient } from '#src/rootless/api-client.js';
import { rootlessKitCommand } from '#src/rootless/parent.js';
import { binariesOf } from '../fixtures/images/artifacts.js';
import { temporary } from '../temporary.js';

export type LiveRootlessKit = {
  process: ChildProcess;
  socket: string;
  client: PortClient;
  /** First process of its namespaces, as the host knows it. */
  childPid: number;
  kill(): Promise<void>;
};

/** A folder for RootlessKit's state, private to the ordinary user as the one of a cluster is. */
export async function privateFolder(t: ExecutionContext): Promise<string> {
  const folder = await temporary(t);
  const account = process.getuid?.() === 0 ? await findAccount(accountName(process.env)) : undefined;
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  await chmod(folder, 0o700);
  return folder;
}

/**
 * RootlessKit as a cluster starts it, by the ordinary user, with nothing in it but a program that sleeps. `within` is a
 * command that is put before it, as one that enters a network namespace.
 */
export async function startRootlessKit(
  t: ExecutionContext,
  folder: string,
  within: readonly string[] = [],
): Promise<LiveRootlessKit> {
  const [{ rootlesskit = '' }, { slirp4netns = '' }] = await Promise.all([
    binariesOf('rootlesskit'),
    binariesOf('slirp4netns'),
  ]);
  const stateDir = join(folder, 'rootlesskit');
  const { command, args } = rootlessKitCommand({
    rootlesskit,
    slirp4netns,
    stateDir,
    mtu: 65520,
    cidr: '10.0.2.0/24',
    publish: [],
    cgroups: 'none',
    child: ['sleep', '1000000'],
  });
  const account = process.getuid?.() === 0 ? await findAccount(accountName(process.env)) : undefined;
  const user = account && asUser(account, [command, ...args], process.env);
  const words = [...within, ...(user ? [user.command, ...user.args] : [command, ...args])];
  const child = spawn(words[0] ?? '', words.slice(1), {
    env: user?.env ?? process.env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const ended = once(child, 'close');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  t.teardown(kill);

  const socket = join(stateDir, 'api.sock');
  const client = createPortClient(socket);
  const { childPID } = await untilAnswering(client, () => {
    if (child.exitCode !== null) throw new Error(`RootlessKit ended with ${child.exitCode}: ${said}`);
  });
  return { process: child, socket, client, childPid: childPID, kill };
}

async function untilAnswering(client: PortClient, check: () => void): ReturnType<PortClient['info']> {
  const signal = AbortSignal.timeout(20_000);
  for (;;) {
    try {
      return await client.info(signal);
    } catch {
      signal.throwIfAborted();
      check();
      await delay(20);
    }
  }
}
