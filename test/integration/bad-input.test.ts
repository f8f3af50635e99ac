import { chmod, chown, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import type { Account } from '#src/host/account.js';
import { asUser } from '#src/host/account.js';
import { runOk } from '#src/lib/exec.js';
import {
  below,
  leftovers,
  makeUser,
  needsRoot,
  removeUser,
  start,
  u7s,
  u7sAsUser,
} from '../ordinary-user.js';
import type { Result } from '../ordinary-user.js';

/**
 * What keeps a cluster from being started: each is told within seconds, with its cause and what to type, ends with a
 * non-zero exit code and leaves nothing. All on the real command, as root acting for an ordinary user or as that user.
 */
const name = `u7s-bad-${process.pid}`;
let account: Account;

function asRoot(title: string, work: (t: ExecutionContext) => Promise<void>): void {
  if (needsRoot === undefined) test.serial(title, work);
  else test.serial.skip(`${title} (${needsRoot})`, work);
}

test.before(async () => {
  if (needsRoot !== undefined) return;
  account = await makeUser(name);
  await u7s(account, ['status']).ended; // installs the copy that the user runs
});
test.after.always(async () => {
  if (needsRoot === undefined) await removeUser(name);
});

/** A port that nobody is likely to have, so that a fault meant by the test is the only one. */
const cluster = ['--cluster', 'bad1', '--api-port', '6511'];

async function refused(
  t: ExecutionContext,
  result: Promise<Result>,
  expected: { exitCode: number; code: string; names?: RegExp; fix: RegExp },
): Promise<void> {
  const before = Date.now();
  const { exitCode, stdout, stderr } = await result;
  t.is(exitCode, expected.exitCode, stderr);
  t.is(stdout, '');
  t.is(/^error\[(.+?)\]/m.exec(stderr)?.[1], expected.code, stderr);
  if (expected.names !== undefined) t.regex(stderr, expected.names);
  t.regex(stderr.slice(stderr.indexOf('\n  fix: ')), expected.fix);
  t.notRegex(stderr, /not foreseen/);
  t.true(Date.now() - before < 30_000, 'within seconds');
  t.deepEqual(await leftovers(account), []);
}

const up = (args: string[], options: Parameters<typeof u7s>[2] = {}): Promise<Result> =>
  u7s(account, ['up', ...args], options).ended;

const usage: Record<string, [args: string[], code: string, fix: RegExp, env?: Record<string, string>]> = {
  'a mistyped preset': [['default-contanerd'], 'no-such-preset', /did you mean default-containerd\?/],
  'a preset that nothing is like': [['xyz'], 'no-such-preset', /use one of .*default-containerd/],
  'a preset that is a path': [['../../../etc/passwd'], 'no-such-preset', /use one of/],
  'a cluster name that cannot be one': [
    ['--cluster', 'Bad_1'],
    'cluster-name',
    /lower-case letters, digits and dashes/,
  ],
  'a time that is none': [['--timeout', 'soon'], 'usage', /run\.sh --help/],
  'no time at all': [['--timeout', '0'], 'usage', /run\.sh --help/],
  'a time beyond all patience': [['--timeout', '999999999h'], 'usage', /run\.sh --help/],
  'a port that is a word': [['--api-port', 'https'], 'usage', /run\.sh --help/],
  'a port that is too large': [['--api-port', '70000'], 'usage', /run\.sh --help/],
  'a wrong port in the environment': [[], 'setting-invalid', /1 to 65535/, { U7S_API_PORT: 'x' }],
  'a wrong node name': [['--node-name', 'Foo.bar'], 'setting-invalid', /./],
  'a way to get binaries that there is not': [['--artifacts', 'steal'], 'usage', /run\.sh --help/],
  'a description that does not exist': [['--config', '/nowhere.yaml'], 'file-unreadable', /check/],
};
for (const [what, [args, code, fix, env]] of Object.entries(usage)) {
  asRoot(`${what} is a usage error`, async (t) => {
    await refused(t, up(args, env === undefined ? {} : { env }), { exitCode: 2, code, fix });
  });
}

const descriptions: Record<string, [text: string, code: string, fix: RegExp]> = {
  'a field that there is not': ['podCIDR: 10.1.0.0/16', 'no-such-setting', /did you mean podCidr\?/],
  'networks that overlap': ['podCidr: 10.0.0.0/24', 'setting-invalid', /./],
  'DNS outside its network': ['dnsAddress: 10.9.9.9', 'setting-invalid', /./],
  'what is not YAML': ['[1,2', 'description-invalid', /podCidr: 10\.88/],
  'a list': ['- a', 'description-invalid', /podCidr: 10\.88/],
};
for (const [what, [text, code, fix]] of Object.entries(descriptions)) {
  asRoot(`a description with ${what} is a usage error`, async (t) => {
    const file = join(account.home, 'cluster.yaml');
    await writeFile(file, text);
    await refused(t, up(['--config', file]), { exitCode: 2, code, fix });
  });
}

/** In a mount namespace of its own, where `script` may change what lies where. */
const whereOnly = (script: string): string[] => [
  'unshare',
  '--mount',
  'sh',
  '-ec',
  `${script}\nexec "$@"`,
  'sh',
];

asRoot('without newuidmap: it says which package brings it', async (t) => {
  const newuidmap = await realpath((await runOk('sh', ['-c', 'command -v newuidmap'])).trim());
  await refused(t, up(cluster, { inside: whereOnly(`mount --bind /dev/null ${newuidmap}`) }), {
    exitCode: 1,
    code: 'host-not-ready',
    names: /newuidmap: not installed/,
    fix: /init-host[^]*sudo apt-get install uidmap/,
  });
});

asRoot('with a closed /dev/net/tun', async (t) => {
  const script = 'mount -t tmpfs none /dev/net; mknod -m 0600 /dev/net/tun c 10 200';
  await refused(t, up(cluster, { inside: whereOnly(script) }), {
    exitCode: 1,
    code: 'host-not-ready',
    names: /\/dev\/net\/tun: .*EACCES/,
    fix: /init-host[^]*sudo chmod 0666 \/dev\/net\/tun/,
  });
});

for (const [many, subIds, found] of [
  ['no', 0, /none in \/etc\/subuid/],
  ['too few', 1000, /1000 in \/etc\/subuid/],
] as const) {
  asRoot(`a user with ${many} sub-IDs`, async (t) => {
    const other = await makeUser(`u7s-ids-${process.pid}`, subIds);
    t.teardown(() => removeUser(other.name));
    await refused(t, u7s(other, ['up', ...cluster]).ended, {
      exitCode: 1,
      code: 'host-not-ready',
      names: found,
      fix: /init-host/,
    });
    t.deepEqual(await leftovers(other), []);
  });
}

asRoot('a port that is taken: by whom, and how to take another', async (t) => {
  const listen = `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;
  const { command, args, env } = asUser(account, [process.execPath, '-e', listen], process.env);
  const listener = start(command, args, env);
  t.teardown(() => listener.kill('SIGKILL'));
  await listener.said(/\d+\n/);
  const port = await portOf(listener.pid);
  await refused(t, up(['--cluster', 'bad1', '--api-port', port]), {
    exitCode: 1,
    code: 'host-not-ready',
    names: RegExp(`127\\.0\\.0\\.1:${port} .*node \\(pid ${listener.pid}\\)`),
    fix: RegExp(`--api-port ${Number(port) + 1}`),
  });
});

asRoot('a port that is root’s', async (t) => {
  await refused(t, up(['--cluster', 'bad1', '--api-port', '80']), {
    exitCode: 1,
    code: 'host-not-ready',
    names: /127\.0\.0\.1:80/,
    fix: /--api-port 6443/,
  });
});

asRoot('binaries neither to be had from the network nor to be built', async (t) => {
  const go = await runOk('sh', ['-c', 'command -v go || echo /usr/local/go/bin/go']);
  const folder = dirname(await realpath(go.trim()).catch(() => '/mnt/go'));
  const script = `[ ! -d ${folder} ] || mount -t tmpfs none ${folder}`;
  const env = { U7S_MIRROR: 'http://127.0.0.1:1' };
  await refused(t, up(cluster, { inside: whereOnly(script), env }), {
    exitCode: 1,
    code: 'artifact-unavailable',
    names: /rootlesskit \S+.*build: .*download: .*127\.0\.0\.1:1 .*host: /,
    fix: /U7S_MIRROR[^]*install Go 1\.26 or newer[^]*--artifact rootlesskit=PATH/,
  });
  t.deepEqual(await installed(), []);
});

asRoot(
  'CRI-O and what it needs neither to be had from the network nor on the host: all is told at once',
  async (t) => {
    const script = `for program in crio conmon skopeo; do
    path=$(command -v $program || true); [ -z "$path" ] || mount --bind /dev/null "$path"
  done`;
    const env = { U7S_MIRROR: 'http://127.0.0.1:1' };
    await refused(t, up(['default-crio', ...cluster], { inside: whereOnly(script), env }), {
      exitCode: 1,
      code: 'artifact-unavailable',
      names: /crio \S+: download: .*\n.*conmon .*\n.*skopeo .*host: /,
      fix: /U7S_MIRROR[^]*cri-o[^]*--artifact crio=PATH/,
    });
    t.deepEqual(await installed(), []);
  },
);

asRoot('a download that is not what was published', async (t) => {
  const [program, archive] = [await readFile('/bin/true'), gzipSync('something else')];
  const server = createServer(({ url = '' }, response) =>
    response.end(/\.t?gz$/.test(url) ? archive : program),
  ).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const env = { U7S_MIRROR: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  await refused(t, up(cluster, { env }), {
    exitCode: 1,
    code: 'artifact-forged',
    names: /sha(256|512) is [0-9a-f]+, not [0-9a-f]+/,
    fix: /try again/,
  });
  t.deepEqual(await installed(), []);
});

/** What was downloaded or built, or half so; the host's own binaries may be noted down. */
async function installed(): Promise<string[]> {
  const store = join(account.home, '.local/share/usernetes/artifacts');
  return (await below(store)).filter((path) => /\.tmp|\.lock|\/\.partial\/|\/(download|build)-/.test(path));
}

const runtimeDirs: Record<string, [path: () => string, code: string, fix: RegExp]> = {
  'is missing': [() => '/nowhere', 'runtime-dir-unsafe', /unset XDG_RUNTIME_DIR/],
  'belongs to somebody else': [() => '/root', 'runtime-dir-unsafe', /unset XDG_RUNTIME_DIR/],
  'is open to everyone': [
    () => join(account.home, 'open'),
    'runtime-dir-unsafe',
    /chmod 0700 \/home\/\S+\/open/,
  ],
  'is too long for a socket': [() => join(account.home, 'x'.repeat(100)), 'path-too-long', /XDG_RUNTIME_DIR/],
};
for (const [what, [path, code, fix]] of Object.entries(runtimeDirs)) {
  asRoot(`a runtime directory that ${what}`, async (t) => {
    if (path().startsWith(account.home)) {
      await mkdir(path());
      await chown(path(), account.uid, account.gid);
      await chmod(path(), what.includes('open') ? 0o777 : 0o700);
    }
    const { ended } = await u7sAsUser(account, ['up', ...cluster], { XDG_RUNTIME_DIR: path() });
    await refused(t, ended, { exitCode: 1, code, fix });
  });
}

asRoot('without XDG_RUNTIME_DIR and without a login there is a private folder to fall back to', async (t) => {
  const { ended } = await u7sAsUser(account, ['status', '--cluster', 'bad1'], { XDG_RUNTIME_DIR: '' });
  t.like(await ended, { exitCode: 3, stdout: 'cluster bad1: stopped\n', stderr: '' });
});

asRoot('a state folder that is not the user’s to write', async (t) => {
  const state = join(account.home, '.local/state');
  await mkdir(state);
  t.teardown(() => runOk('rm', ['-r', state]));
  await refused(t, up(cluster), {
    exitCode: 1,
    code: 'host-not-ready',
    names: RegExp(`${name} .*${state}`),
    fix: RegExp(`chown ${name} ${state}`),
  });
});

asRoot('root, without an ordinary user to act as', async (t) => {
  for (const [U7S_USER, code, fix] of [
    ['u7s-nobody', 'no-such-user', /init-host/],
    ['root', 'is-root', /U7S_USER/],
    ['nobody', 'launcher-copy', /U7S_USER/],
  ] as const) {
    await refused(t, up(cluster, { env: { U7S_USER } }), { exitCode: 1, code, fix });
  }
});

asRoot('from a folder of root that the user cannot enter', async (t) => {
  const script = 'mkdir -m 0700 /mnt/closed && cd /mnt/closed';
  const inside = ['unshare', '--mount', 'sh', '-ec', `mount -t tmpfs none /mnt; ${script}; exec "$@"`, 'sh'];
  const program = await realpath('bin/u7s.js');
  const { exitCode, stdout } = await start(
    inside[0] ?? '',
    [...inside.slice(1), process.execPath, program, 'doctor', '-o', 'json', '--api-port', '6511'],
    { PATH: process.env.PATH, U7S_USER: name },
  ).ended;
  t.deepEqual(
    (JSON.parse(stdout) as { id: string; status: string; found: string }[]).filter(
      ({ status }) => status === 'blocked',
    ),
    [],
  );
  t.is(exitCode, 0);
});

/** The TCP port that a process listens on. */
async function portOf(pid: number): Promise<string> {
  const inodes = await runOk('sh', ['-c', `readlink /proc/${pid}/fd/* || true`]);
  const table = await readFile('/proc/net/tcp', 'utf8');
  const line = table
    .split('\n')
    .map((each) => each.trim().split(/\s+/))
    .find((fields) => fields[3] === '0A' && inodes.includes(`socket:[${fields[9]}]`));
  return String(parseInt(line?.[1]?.split(':')[1] ?? '', 16));
}
