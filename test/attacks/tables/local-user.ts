import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asUser } from '#src/host/account.js';
import { run } from '#src/lib/exec.js';
import { processesOf } from '../../ordinary-user.js';
import { from, type Attack, type Door } from '../attack.js';
import type { Ground } from '../ground.js';
import { closedFolders, inState, secretFiles, sockets } from '../secrets.js';

const local = from('local user');
const refused = /^(EACCES|EPERM)$/;

const reading = secretFiles.map((name) =>
  local('reads the state', `reads ${name}`, refused, async ({ stranger, paths }) =>
    (await stranger()).read(inState(paths, name)),
  ),
);

const writing = secretFiles.map((name) =>
  local('writes to the state', `writes to ${name}`, refused, async ({ stranger, paths }) =>
    (await stranger()).write(inState(paths, name)),
  ),
);

/** A file that is closed by its folder alone is open as soon as somebody opens the folder. */
const modes = secretFiles
  .filter((name) => !name.startsWith('logs/'))
  .map((name) =>
    local('is let into the folder', `${name} once its folders are open`, /^0[67]00$/, async ({ paths }) =>
      ((await stat(inState(paths, name))).mode & 0o7777).toString(8).padStart(4, '0'),
    ),
  );

const folders = Object.keys(closedFolders({} as never)).map((title) =>
  local('makes files', `makes a file in ${title}`, refused, async ({ stranger, paths }) =>
    (await stranger()).create(join(closedFolders(paths)[title] ?? '', 'planted')),
  ),
);

const listing = ['the state folder', 'the PKI', 'the runtime folder', 'RootlessKit’s folder'].map((title) =>
  local('lists folders', `lists ${title}`, refused, async ({ stranger, paths }) =>
    (await stranger()).list(closedFolders(paths)[title] ?? ''),
  ),
);

const connecting = Object.keys(sockets({} as never)).map((title) =>
  local('connects to sockets', `connects to ${title}`, refused, async ({ stranger, paths }) =>
    (await stranger()).connect({ path: sockets(paths)[title] ?? '' }),
  ),
);

const programs = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'containerd',
  'kubelet',
  'rootlesskit',
  'slirp4netns',
] as const;

async function pidOf({ control }: Ground, program: string): Promise<number> {
  const found = (await processesOf(control.account)).find(({ command }) => command.endsWith(`/${program}`));
  if (found === undefined) throw new Error(`there is no process ${program}`);
  return found.pid;
}

const signalling = programs.map((program) =>
  local('signals processes', `signals ${program}`, refused, async (ground) =>
    (await ground.stranger()).signal(await pidOf(ground, program), 'SIGCONT'),
  ),
);

const inProc = ['environ', 'mem', 'maps', 'root/etc/passwd', 'cwd', 'fd', 'ns/net'] as const;
const looking = programs.slice(0, 3).flatMap((program) =>
  inProc.map((file) =>
    local('looks into processes', `looks at ${file} of ${program}`, refused, async (ground) => {
      const hand = await ground.stranger();
      const path = `/proc/${await pidOf(ground, program)}/${file}`;
      if (file === 'fd') return hand.list(path);
      return file === 'cwd' || file === 'ns/net' ? hand.link(path) : hand.read(path);
    }),
  ),
);

/** Everybody can see command lines. */
const argued = (
  [
    ['a private key', /-----BEGIN|PRIVATE KEY/],
    ['a token', /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/],
    ['a password in a URL', /:\/\/[^/\s:]+:[^/\s@]+@/],
  ] as const
).map(([what, pattern]) =>
  local(
    'reads command lines',
    `finds ${what} in a command line`,
    /^nothing in \d+ command/,
    async (ground) => {
      const hand = await ground.stranger();
      const { stdout } = await hand.run(['sh', '-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "']);
      if (!stdout.includes('kube-apiserver')) throw new Error('it does not see the API server');
      return pattern.test(stdout)
        ? `found ${pattern.exec(stdout)?.[0]}`
        : `nothing in ${(await processesOf(ground.control.account)).length} command lines`;
    },
  ),
);

const takingOver = ['EADDRINUSE'].flatMap((taken) =>
  [6443, 10250].map((port) =>
    local('takes the cluster’s ports', `listens on port ${port} too`, RegExp(`^${taken}$`), async (ground) =>
      (await ground.stranger()).listen(ground.control.address, port),
    ),
  ),
);

/** What listens inside is not on the host. */
const inside: [string, number][] = [
  ['etcd', 2379],
  ['etcd’s peers', 2380],
  ['etcd’s metrics', 2381],
  ['the controller manager', 10257],
  ['the scheduler', 10259],
  ['kube-proxy’s health', 10256],
  ['kube-proxy’s metrics', 10249],
  ['the kubelet’s health', 10248],
  ['the kubelet’s read-only port', 10255],
  ['containerd’s metrics', 1338],
];
const reaching = inside.map(([what, port]) =>
  local('reaches inner ports', `reaches ${what} on the host`, /^ECONNREFUSED$/, async ({ stranger }) =>
    (await stranger()).connect({ host: '127.0.0.1', port }),
  ),
);

const entering = [
  local(
    'enters the namespaces',
    'enters the node’s namespaces',
    /Operation not permitted|Permission denied/,
    async (ground) => {
      const pid = await pidOf(ground, 'kubelet');
      const { stdout, stderr } = await (
        await ground.stranger()
      ).run(['nsenter', '-t', String(pid), '-U', '-m', '--preserve-credentials', 'id']);
      return `${stdout}${stderr}`.trim();
    },
  ),
  local(
    'runs commands for the cluster',
    'runs the launcher’s copy of u7s',
    /Permission denied|EACCES/,
    async (ground) => {
      const { stdout, stderr } = await (
        await ground.stranger()
      ).run(['sh', '-c', `ls ${ground.paths.launchers}/*/bin/u7s.js`]);
      return `${stdout}${stderr}`.trim();
    },
  ),
];

/** A folder that lies in wait in /tmp where the account’s runtime folder would be made. */
const lying = (
  [
    ['a folder of theirs', 'mkdir -m 0777 "$1"'],
    ['a link to a folder of theirs', 'mkdir -m 0777 "$1.real"; ln -s "$1.real" "$1"'],
    ['a file', ': > "$1"'],
  ] as const
).map(([what, script]) =>
  local(
    'waits in /tmp',
    `${what} waits at the runtime folder in /tmp`,
    /error\[runtime-dir-unsafe\]/,
    async (ground) => {
      const { control } = ground;
      const path = `/tmp/usernetes-${control.account.uid}`;
      const hand = await ground.stranger();
      await hand.run(['sh', '-c', script, 'sh', path]);
      try {
        const [copy = ''] = (await readdir(ground.paths.launchers)).filter((name) => !name.startsWith('.'));
        const { runtimeDir: _, ...withoutRuntimeDir } = control.account;
        const u7s = [process.execPath, join(ground.paths.launchers, copy, 'bin/u7s.js'), 'status'];
        const { command, args, env } = asUser(withoutRuntimeDir, u7s, { PATH: process.env.PATH });
        // Where no login has made a runtime folder in /run/user.
        const apart = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs none /run/user; exec "$@"', 'sh'];
        const [program = '', ...words] = [...control.inside, ...apart, command, ...args];
        const { stderr } = await run(program, words, { env });
        return stderr.split('\n')[0] ?? '';
      } finally {
        await hand.run(['sh', '-c', 'rm -rf "$1" "$1.real"', 'sh', path]);
      }
    },
  ),
);

export const localAttacks: readonly Attack[] = [
  ...reading,
  ...writing,
  ...modes,
  ...folders,
  ...listing,
  ...connecting,
  ...signalling,
  ...looking,
  ...argued,
  ...takingOver,
  ...reaching,
  ...entering,
  ...lying,
];

/** The outcomes of the same attempts by the account itself, each once. */
async function each(attempts: readonly Promise<string>[]): Promise<string> {
  return [...new Set(await Promise.all(attempts))].join(', ');
}

export const localDoors: readonly Door[] = [
  {
    kind: 'reads the state',
    name: 'the account reads every one of these files',
    open: /^read$/,
    opens: async ({ owner, paths }) => {
      const hand = await owner();
      return each(secretFiles.map((name) => hand.read(inState(paths, name))));
    },
  },
  {
    kind: 'writes to the state',
    name: 'what the account has opened to everybody is written to',
    open: /^written$/,
    opens: async ({ owner, stranger }) => {
      const { stdout } = await (
        await owner()
      ).run(['sh', '-c', 'file=$(mktemp); chmod 0666 "$file"; echo "$file"']);
      return (await stranger()).write(stdout.trim());
    },
  },
  {
    kind: 'makes files',
    name: 'the account makes files in every one of these folders',
    open: /^created$/,
    opens: async ({ owner, paths }) => {
      const hand = await owner();
      return each(Object.values(closedFolders(paths)).map((folder) => hand.create(join(folder, 'planted'))));
    },
  },
  {
    kind: 'connects to sockets',
    name: 'the account connects to every one of these sockets',
    open: /^connected$/,
    opens: async ({ owner, paths }) => {
      const hand = await owner();
      return each(Object.values(sockets(paths)).map((path) => hand.connect({ path })));
    },
  },
  {
    kind: 'signals processes',
    name: 'the account signals these processes',
    open: /^signalled$/,
    opens: async (ground) => {
      const hand = await ground.owner();
      const pids = await Promise.all(programs.map((program) => pidOf(ground, program)));
      return each(pids.map((pid) => hand.signal(pid, 'SIGCONT')));
    },
  },
  {
    kind: 'reads command lines',
    name: 'a token in a command line is seen',
    open: /abcdef\.0123456789abcdef/,
    opens: async ({ owner, stranger }) => {
      const sleeping = (await owner()).run(['sh', '-c', 'sleep 2; true abcdef.0123456789abcdef']);
      const { stdout } = await (
        await stranger()
      ).run(['sh', '-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr "\\0" " "']);
      await sleeping;
      return /abcdef\.0123456789abcdef/.exec(stdout)?.[0] ?? 'not seen';
    },
  },
];
