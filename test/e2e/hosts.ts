import { join } from 'node:path';
import { preparedAccount, type Account } from '#src/host/account.js';
import { run, runOk } from '#src/lib/exec.js';
import { makeUser, removeUser, u7s, type Result } from '../ordinary-user.js';

/** A network namespace with an address on a common bridge, and an ordinary user of its own, with a home of their own. */
export type TestHost = {
  name: string;
  address: string;
  account: Account;
  /** What is to stand before a command so that it runs there. */
  inside: readonly string[];
  /** `u7s` as a person on that host would type it. */
  u7s: (...args: string[]) => Promise<Result>;
  /** The same, but throws unless it succeeds. Returns its stdout. */
  ok: (...args: string[]) => Promise<string>;
};

/** Makes hosts 10.199.0.11, .12 …, called `<prefix>-h1` …, with the binaries that the prepared user of this machine has. */
export async function makeHosts(count: number, prefix = 'u7s-test'): Promise<TestHost[]> {
  const { home } = await preparedAccount(process.env);
  await removeHosts(count, prefix);
  const bridge = `${prefix}-switch`;
  await runOk('ip', ['netns', 'add', bridge]);
  await runOk('ip', ['-n', bridge, 'link', 'add', 'br0', 'type', 'bridge']);
  await runOk('ip', ['-n', bridge, 'link', 'set', 'br0', 'up']);
  const hosts: TestHost[] = [];
  for (let number = 1; number <= count; number++) hosts.push(await makeHost(number, prefix, home));
  return hosts;
}

async function makeHost(number: number, prefix: string, binaries: string): Promise<TestHost> {
  const [name, bridge] = [nameOf(number, prefix), `${prefix}-switch`];
  const address = `10.199.0.${10 + number}`;
  const port = `port${number}`;
  await runOk('ip', ['netns', 'add', name]);
  await runOk('ip', [
    '-n',
    bridge,
    'link',
    'add',
    port,
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    name,
  ]);
  await runOk('ip', ['-n', bridge, 'link', 'set', port, 'master', 'br0', 'up']);
  for (const device of ['lo', 'eth0']) await runOk('ip', ['-n', name, 'link', 'set', device, 'up']);
  await runOk('ip', ['-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0']);

  const account = await makeUser(name);
  const data = join(account.home, '.local/share/usernetes');
  await runOk('install', [
    '-d',
    '-o',
    name,
    '-g',
    name,
    join(account.home, '.local'),
    join(account.home, '.local/share'),
    data,
  ]);
  await runOk('cp', ['-a', '--reflink=auto', join(binaries, '.local/share/usernetes/artifacts'), data]);
  await runOk('chown', ['-R', `${name}:`, data]);

  // Not by `ip netns exec`, which puts another /sys in place.
  const inside = ['nsenter', `--net=/run/netns/${name}`];
  const command = (...args: string[]): Promise<Result> =>
    u7s(account, args, { inside, env: { U7S_NODE_NAME: name } }).ended;
  const ok = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await command(...args);
    if (exitCode !== 0)
      throw new Error(`u7s ${args.join(' ')} on ${name} exited with ${exitCode}: ${stderr}`);
    return stdout;
  };
  return { name, address, account, inside, u7s: command, ok };
}

/** Ends what runs there first. */
export async function removeHosts(count: number, prefix = 'u7s-test'): Promise<void> {
  for (let number = 1; number <= count; number++) {
    await removeUser(nameOf(number, prefix));
    await run('ip', ['netns', 'del', nameOf(number, prefix)]);
  }
  await run('ip', ['netns', 'del', `${prefix}-switch`]);
}

const nameOf = (number: number, prefix: string): string => `${prefix}-h${number}`;
