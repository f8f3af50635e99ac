import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { findAccount, requireReachable } from '#src/host/account.js';
import { thisHost, type Host } from '#src/host/host.js';
import { tryNamespace } from '#src/host/namespace-trial.js';
import type { Check } from '#src/host/preflight.js';
import { run, runOk, type RunResult } from '#src/lib/exec.js';
import { temporary } from '../temporary.js';

const asRoot = process.getuid?.() === 0 ? test.serial : test.serial.skip;

function u7s(...args: string[]): Promise<RunResult> {
  return run(process.execPath, ['bin/u7s.js', ...args], { env: { ...process.env, SUDO_USER: undefined } });
}

asRoot('init-host prepares this host, and then nothing is left to do (needs root)', async (t) => {
  const first = await u7s('init-host');
  t.is(first.exitCode, 0, first.stderr);
  const plan = await u7s('init-host', '--dry-run');
  t.is(plan.stdout, '#!/bin/sh\n# This host is prepared: there is nothing to do.');
  const second = await u7s('init-host');
  t.is(second.exitCode, 0);
  t.regex(second.stderr, /this host is prepared for /);
});

asRoot('on the prepared host nothing blocks the ordinary user (needs root)', async (t) => {
  const { exitCode, stdout, stderr } = await u7s(
    'doctor',
    '-o',
    'json',
    '--api-port',
    String(await freePort()),
  );
  t.is(exitCode, 0, stderr);
  const checks = JSON.parse(stdout) as Check[];
  t.deepEqual(
    checks.filter(({ status }) => status === 'blocked'),
    [],
  );
  t.is(checks.find(({ id }) => id === 'user-namespace')?.found, 'created one with all sub-IDs');
});

asRoot(
  'doctor exits with 1 when the API’s port is taken, and says by what to replace it (needs root)',
  async (t) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { exitCode, stdout } = await u7s('doctor', '--cluster', 'host-test', '--api-port', String(port));
    t.is(exitCode, 1);
    t.regex(stdout, RegExp(`^blocked +port of the Kubernetes API +127\\.0\\.0\\.1:${port} is taken`, 'm'));
    t.regex(stdout, /fix: .*--api-port/);
  },
);

asRoot('init-host makes a user who is missing, with sub-IDs of their own (needs root)', async (t) => {
  const name = `u7s-test-${process.pid}`;
  t.teardown(async () => {
    const account = await findAccount(name);
    if (account === undefined) return;
    await run('userdel', ['--remove', name]);
    await rm(`/run/user/${account.uid}`, { recursive: true, force: true });
  });

  const dryRun = await u7s('init-host', '--user', name, '--dry-run');
  t.is(await findAccount(name), undefined, 'a dry run changes nothing');
  await runOk('sh', ['-n'], { input: dryRun.stdout });

  const { exitCode, stderr } = await u7s('init-host', '--user', name);
  t.is(exitCode, 0, stderr);
  const account = await findAccount(name);
  t.truthy(account);
  for (const file of ['/etc/subuid', '/etc/subgid']) {
    t.regex(await readFile(file, 'utf8'), RegExp(`^${name}:\\d+:65536$`, 'm'));
  }
  if ((await stat('/run/systemd/system').catch(() => undefined)) === undefined) {
    const runtimeDir = await stat(`/run/user/${account?.uid}`);
    t.like(runtimeDir, { uid: account?.uid, gid: account?.gid });
    t.is(runtimeDir.mode & 0o777, 0o700);
  }
  t.regex((await u7s('init-host', '--user', name, '--dry-run')).stdout, /nothing to do/);
  await t.notThrowsAsync(requireReachable(account!, '/bin/sh'));
  await t.throwsAsync(requireReachable(account!, '/nowhere/node'), {
    code: 'not-executable',
    message: /does not exist/,
  });
});

asRoot('init-host gives newuidmap and newgidmap back what an image has lost (needs root)', async (t) => {
  const helpers = '/usr/bin/newuidmap /usr/bin/newgidmap';
  const script = `
    mount -t tmpfs none /mnt
    for helper in ${helpers}; do
      cp "$helper" /mnt/
      mount --bind "/mnt/\${helper##*/}" "$helper"
    done
    "$@" init-host --dry-run
    "$@" init-host --for-image 2>/dev/null
    stat -c %a ${helpers}
    "$@" init-host --dry-run`;
  const command = ['--mount', 'sh', '-euc', script, 'sh', process.execPath, 'bin/u7s.js'];
  t.is(
    await runOk('unshare', command),
    `#!/bin/sh
# Prepares this host for rootless Kubernetes; run it as root.
set -eu

# setuid bit of ${helpers}
chmod u+s ${helpers}
4755
4755
#!/bin/sh
# This host is prepared: there is nothing to do.`,
  );
});

test('a namespace with IDs that are not lent to the user is refused in newuidmap’s words, and nothing is left', async (t) => {
  const directory = await temporary(t);
  const foreign = [{ owner: 'nobody', start: 4_000_000_000, count: 65_536 }];
  const user = { uid: process.getuid!(), gid: process.getgid!(), subUids: foreign, subGids: foreign };
  const { refused } = await tryNamespace(thisHost(process.env), user, join(directory, 'not', 'made', 'yet'));
  t.regex(refused ?? '', /new[ug]idmap: .*not allowed/);
  t.deepEqual(await readdir(directory), []);
});

test('where AppArmor restricts namespaces, the trial runs from a path that our profile names', async (t) => {
  const directory = await temporary(t);
  const host = thisHost(process.env);
  const unshare = join(directory, 'unshare');
  const log = join(directory, 'log');
  await writeFile(unshare, `#!/bin/sh\necho "$0" >${log}\nexec unshare "$@"\n`, { mode: 0o755 });
  const restricted: Host = {
    ...host,
    read: (path) =>
      path.endsWith('/apparmor_restrict_unprivileged_userns') ? Promise.resolve('1\n') : host.read(path),
    which: (program) => (program === 'unshare' ? Promise.resolve(unshare) : host.which(program)),
  };
  const user = { uid: process.getuid!(), gid: process.getgid!(), subUids: [], subGids: [] };
  t.is((await tryNamespace(restricted, user, directory)).refused, undefined);
  t.regex(await readFile(log, 'utf8'), RegExp(`^${directory}/\\.usernetes-trial-\\w+/unshare\n$`));
});

test('without newuidmap the trial ends at once and says so', async (t) => {
  const host = thisHost(process.env);
  const without = {
    ...host,
    run: (command: string, args: string[]) =>
      command === 'newuidmap' ? run('/nowhere/newuidmap', args) : host.run(command, args),
  };
  const user = { uid: process.getuid!(), gid: process.getgid!(), subUids: [], subGids: [] };
  const { refused } = await tryNamespace(without, user, tmpdir());
  t.regex(refused ?? '', /cannot run .*newuidmap/);
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
