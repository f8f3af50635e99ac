import { chmod, chown, mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
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
  expected: { exitCode: number; error: RegExp; fix: RegExp },
): Promise<void> {
  const before = Date.now();
  const { exitCode, stdout, stderr } = await result;
  t.is(exitCode, expected.exitCode, stderr);
  t.is(stdout, '');
  t.regex(stderr, expected.error);
  t.regex(stderr.slice(stderr.indexOf('\n  fix: ')), expected.fix);
  t.notRegex(stderr, /not foreseen/);
  t.true(Date.now() - before < 30_000, 'within seconds');
  t.deepEqual(await leftovers(account), []);
}

const up = (args: string[], options: Parameters<typeof u7s>[2] = {}): Promise<Result> =>
  u7s(account, ['up', ...args], options).ended;

const usage: Record<string, [args: string[], error: RegExp, fix: RegExp, env?: Record<string, string>]> = {
  'a mistyped preset': [
    ['default-contanerd'],
    /there is no preset "default-contanerd"/,
    /did you mean default-containerd\?/,
  ],
  'a preset that nothing is like': [['xyz'], /there is no preset "xyz"/, /use one of .*default-containerd/],
  'a preset that is a path': [['../../../etc/passwd'], /there is no preset/, /use one of/],
  'a cluster name that cannot be one': [
    ['--cluster', 'Bad_1'],
    /"Bad_1" cannot be a cluster's name/,
    /lower-case letters, digits and dashes/,
  ],
  'a time that is none': [
    ['--timeout', 'soon'],
    /'soon' is invalid. Write it as 90s, 5m or 1h/,
    /u7s up --help/,
  ],
  'no time at all': [['--timeout', '0'], /'0' is invalid. Write it as 90s/, /u7s up --help/],
  'a time beyond all patience': [['--timeout', '999999999h'], /up to 24h/, /u7s up --help/],
  'a port that is a word': [['--api-port', 'https'], /must be a number from 1 to 65535/, /u7s up --help/],
  'a port that is too large': [['--api-port', '70000'], /must be a number from 1 to 65535/, /u7s up --help/],
  'a wrong port in the environment': [
    [],
    /U7S_API_PORT=x is not a port/,
    /a number from 1 to 65535/,
    { U7S_API_PORT: 'x' },
  ],
  'a wrong node name': [['--node-name', 'Foo.bar'], /nodeName: must be lower-case/, /correct it/],
  'a way to get binaries that there is not': [
    ['--artifacts', 'steal'],
    /Allowed choices are auto/,
    /u7s up --help/,
  ],
  'a description that does not exist': [
    ['--config', '/nowhere.yaml'],
    /\/nowhere\.yaml: there is no such file/,
    /check/,
  ],
};
for (const [what, [args, error, fix, env]] of Object.entries(usage)) {
  asRoot(`${what} is a usage error`, async (t) => {
    await refused(t, up(args, env === undefined ? {} : { env }), { exitCode: 2, error, fix });
  });
}

const descriptions: Record<string, [text: string, error: RegExp, fix: RegExp]> = {
  'a field that there is not': [
    'podCIDR: 10.1.0.0/16',
    /there is no field podCIDR/,
    /did you mean podCidr\?/,
  ],
  'networks that overlap': ['podCidr: 10.0.0.0/24', /podCidr: .* overlaps with serviceCidr/, /correct it/],
  'DNS outside its network': [
    'dnsAddress: 10.9.9.9',
    /dnsAddress: 10\.9\.9\.9 is not in serviceCidr/,
    /correct it/,
  ],
  'what is not YAML': ['[1,2', /does not describe a cluster: Flow sequence/, /podCidr: 10\.88/],
  'a list': ['- a', /it is no map of fields/, /podCidr: 10\.88/],
};
for (const [what, [text, error, fix]] of Object.entries(descriptions)) {
  asRoot(`a description with ${what} is a usage error`, async (t) => {
    const file = join(account.home, 'cluster.yaml');
    await writeFile(file, text);
    await refused(t, up(['--config', file]), { exitCode: 2, error, fix });
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
    error: /newuidmap: not installed \(it maps the sub-IDs/,
    fix: /\.\/run\.sh --cluster bad1 --init-host \(or: sudo apt-get install uidmap/,
  });
});

asRoot('with a closed /dev/net/tun', async (t) => {
  const script = 'mount -t tmpfs none /dev/net; mknod -m 0600 /dev/net/tun c 10 200';
  await refused(t, up(cluster, { inside: whereOnly(script) }), {
    exitCode: 1,
    error: /\/dev\/net\/tun: cannot be opened \(EACCES\)/,
    fix: /--cluster bad1 --init-host \(or: sudo chmod 0666 \/dev\/net\/tun\)/,
  });
});

for (const [many, subIds, found] of [
  ['no', 0, /has none in \/etc\/subuid, none in \/etc\/subgid; 65536 are needed/],
  ['too few', 1000, /has 1000 in \/etc\/subuid, 1000 in \/etc\/subgid; 65536 are needed/],
] as const) {
  asRoot(`a user with ${many} sub-IDs`, async (t) => {
    const other = await makeUser(`u7s-ids-${process.pid}`, subIds);
    t.teardown(() => removeUser(other.name));
    await refused(t, u7s(other, ['up', ...cluster]).ended, {
      exitCode: 1,
      error: found,
      fix: /\.\/run\.sh --cluster bad1 --init-host/,
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
    error: RegExp(`127\\.0\\.0\\.1:${port} is taken by node \\(pid ${listener.pid}\\)`),
    fix: RegExp(`--api-port ${Number(port) + 1}`),
  });
});

asRoot('a port that is root’s', async (t) => {
  await refused(t, up(['--cluster', 'bad1', '--api-port', '80']), {
    exitCode: 1,
    error: /127\.0\.0\.1:80 is a port that the kernel keeps for root/,
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
    error:
      /cannot get rootlesskit \S+, .*: build: there is no Go on PATH; download: 127\.0\.0\.1:1 cannot be reached .*; host: there is no/,
    fix: /install Go 1\.26 or newer.*; or .*U7S_MIRROR.*; or .*--artifact rootlesskit=PATH/,
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
      error:
        /cannot get crio \S+: download: 127\.0\.0\.1:1 cannot be reached .*; host: there is no crio on PATH\n.*cannot get conmon .*\n.*cannot get skopeo .*: host: there is no skopeo on PATH/,
      fix: /apt-get install cri-o.*; or .*U7S_MIRROR.*; or give one that you have: --artifact crio=PATH\n.*apt-get install conmon.*\n.*apt-get install skopeo/,
    });
    t.deepEqual(await installed(), []);
  },
);

asRoot('a download that is not what was published', async (t) => {
  const server = createServer((_, response) => response.end('something else')).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const env = { U7S_MIRROR: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  await refused(t, up(cluster, { env }), {
    exitCode: 1,
    error: /is not what was published: its sha(256|512) is [0-9a-f]+, not [0-9a-f]+/,
    fix: /nothing was installed; try again/,
  });
  t.deepEqual(await installed(), []);
});

/** What was downloaded or built, or half so; the host's own binaries may be noted down. */
async function installed(): Promise<string[]> {
  const store = join(account.home, '.local/share/usernetes/artifacts');
  return (await below(store)).filter((path) => /\.tmp|\.lock|\/\.partial\/|\/(download|build)-/.test(path));
}

const runtimeDirs: Record<string, [path: () => string, error: RegExp, fix: RegExp]> = {
  'is missing': [() => '/nowhere', /XDG_RUNTIME_DIR=\/nowhere does not exist/, /unset XDG_RUNTIME_DIR/],
  'belongs to somebody else': [
    () => '/root',
    /XDG_RUNTIME_DIR=\/root belongs to uid 0/,
    /unset XDG_RUNTIME_DIR/,
  ],
  'is open to everyone': [
    () => join(account.home, 'open'),
    /XDG_RUNTIME_DIR=\S+ has mode 0777, not 0700/,
    /chmod 0700 \/home\/\S+\/open/,
  ],
  'is too long for a socket': [
    () => join(account.home, 'x'.repeat(100)),
    /socket.* bytes/,
    /set XDG_RUNTIME_DIR to a shorter/,
  ],
};
for (const [what, [path, error, fix]] of Object.entries(runtimeDirs)) {
  asRoot(`a runtime directory that ${what}`, async (t) => {
    if (path().startsWith(account.home)) {
      await mkdir(path());
      await chown(path(), account.uid, account.gid);
      await chmod(path(), what.includes('open') ? 0o777 : 0o700);
    }
    const { ended } = await u7sAsUser(account, ['up', ...cluster], { XDG_RUNTIME_DIR: path() });
    await refused(t, ended, { exitCode: 1, error, fix });
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
    error: RegExp(`${name} cannot write in ${state}`),
    fix: RegExp(`as root: chown ${name} ${state}`),
  });
});

asRoot('root, without an ordinary user to act as', async (t) => {
  for (const [U7S_USER, error, fix] of [
    ['u7s-nobody', /the user u7s-nobody whom it would act as does not exist/, /--init-host \(makes/],
    ['root', /Kubernetes is never run as root/, /U7S_USER=<an ordinary user>/],
    ['nobody', /cannot copy the launcher to \/nonexistent\S+: mkdir: cannot create directory/, /U7S_USER=/],
  ] as const) {
    await refused(t, up(cluster, { env: { U7S_USER } }), { exitCode: 1, error, fix });
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
